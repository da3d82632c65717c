"""What a walk through a folder finds: films of all kinds, archives, film sets, and each file that cannot be used."""

import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from tests.xray.data.chest_film import texture, write_film
from tests.xray.data.conftest import FilmWriter
from tests.xray.data.film_set import write_dicomdir
from xray.data.films import load_film
from xray.data.sources.film_scan import scan_films
from xray.data.sources.films_folder import FilmsFolder
from xray.dicom.render import RenderSettings
from xray.errors import DataError


def found(folder: FilmsFolder) -> list[str]:
    return [folder.relative(header) for header in folder.headers]


def listed(folder: FilmsFolder) -> list[tuple[str, str]]:
    return [(refusal.where, refusal.code) for refusal in folder.refusals]


def zipped(path: Path, *files: Path, below: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(below))
            file.unlink()
    return path


# Studies and identity.


def test_the_films_of_a_study_are_found_in_every_series_and_folder(films: FilmWriter):
    films.dicom("disk1/a.dcm", study="1.2.1", texture=1, SeriesInstanceUID="1.2.1.1")
    films.dicom("disk2/sub/b", study="1.2.1", texture=2, SeriesInstanceUID="1.2.1.2", view="LL")
    films.dicom("disk2/c.dcm", study="1.2.2", texture=3)
    folder = scan_films(films.root)
    assert [header.view for header in folder.of_study("1.2.1").headers] == ["frontal", "lateral"]
    assert len(folder.of_study("1.2.2").headers) == 1


def test_copies_of_a_film_are_named_and_the_first_is_used(films: FilmWriter):
    first = films.dicom("a.dcm", study="1.2.1", texture=1)
    dataset = dcmread(first)
    dataset.InstitutionName = "elsewhere"
    dataset.save_as(films.root / "b.dcm")
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(films.root / "c.dcm")
    folder = scan_films(films.root)
    assert found(folder) == ["a.dcm"]
    assert listed(folder) == [("b.dcm", "duplicate_film"), ("c.dcm", "duplicate_film")]
    assert [file.copy_of for file in folder.refused] == [first, first]


def test_two_images_with_one_number_are_both_refused(films: FilmWriter):
    films.dicom("a.dcm", study="1.2.1", texture=1, SOPInstanceUID="1.2.3")
    films.dicom("b.dcm", study="1.2.1", texture=2, SOPInstanceUID="1.2.3")
    films.dicom("c.dcm", study="1.2.1", texture=3)
    folder = scan_films(films.root)
    assert found(folder) == ["c.dcm"]
    assert listed(folder) == [("a.dcm", "duplicate_uid"), ("b.dcm", "duplicate_uid")]
    assert len(folder.of_study("1.2.1").refused) == 2


def test_a_copy_that_cannot_be_decoded_does_not_spoil_the_good_one(films: FilmWriter):
    whole = films.dicom("a.dcm", study="1.2.1", texture=1)
    (films.root / "b.dcm").write_bytes(whole.read_bytes()[:-2000])
    folder = scan_films(films.root)
    assert found(folder) == ["a.dcm"]
    assert listed(folder) == [("b.dcm", "truncated")]


def test_a_study_that_names_two_patients_is_refused(films: FilmWriter):
    films.dicom("a.dcm", study="1.2.1", texture=1, patient="P-1")
    films.dicom("b.dcm", study="1.2.1", texture=2, patient="P-2")
    folder = scan_films(films.root)
    assert listed(folder) == [("a.dcm", "several_patients"), ("b.dcm", "several_patients")]


# Archives.


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_films_in_an_archive_are_found_by_the_name_of_the_archive(films: FilmWriter, tmp_path: Path, kind: str):
    films.dicom("z.dcm", study="1.2.9", texture=9)
    inside = [films.dicom("P1/a.dcm", study="1.2.1", texture=1), films.png("P1/b.png", texture=2)]
    archive = films.root / f"ward.{kind}"
    if kind == "zip":
        zipped(archive, *inside, below=films.root)
    else:
        with tarfile.open(archive, "w:gz") as packed:
            for file in inside:
                packed.add(file, file.relative_to(films.root).as_posix())
                file.unlink()
    folder = scan_films(films.root, scratch=tmp_path / "scratch")
    assert found(folder) == [f"ward.{kind}/P1/a.dcm", f"ward.{kind}/P1/b.png", "z.dcm"]
    assert listed(folder) == []
    (header,) = folder.of_study("1.2.1").headers
    assert load_film(header.path, settings=RenderSettings(size=64)).pixels.shape == (64, 64)
    assert dict(folder.unpacked)[header.path] == f"ward.{kind}/P1/a.dcm"
    for name in ("P1/a.dcm", "P1/a", "a", f"ward.{kind}/P1/a.dcm"):
        assert folder.named(name).headers == (header,)


def test_an_archive_named_like_a_study_stands_for_its_films(films: FilmWriter, tmp_path: Path):
    films_of = [films.png(f"{name}.png", texture=number) for number, name in enumerate("ab")]
    zipped(films.root / "CR0017.zip", *films_of, below=films.root)
    folder = scan_films(films.root, scratch=tmp_path / "scratch")
    assert len(folder.in_folder("CR0017").headers) == 2
    assert len(folder.in_folder("CR0017.zip").headers) == 2


def test_an_archive_may_be_given_in_place_of_the_folder(films: FilmWriter, tmp_path: Path):
    archive = zipped(tmp_path / "ward.zip", films.dicom("P1/a.dcm", study="1.2.1", texture=1), below=films.root)
    folder = scan_films(archive, scratch=tmp_path / "scratch")
    assert found(folder) == ["P1/a.dcm"]
    with pytest.raises(DataError, match="no folder, zip or tar file"):
        scan_films(archive)


def test_without_a_place_to_unpack_archives_are_refused(films: FilmWriter):
    zipped(films.root / "ward.zip", films.png("a.png", texture=1), below=films.root)
    assert listed(scan_films(films.root)) == [("ward.zip", "packed_file")]


def test_what_an_archive_refuses_is_listed_by_its_place_in_it(films: FilmWriter, tmp_path: Path):
    with zipfile.ZipFile(films.root / "ward.zip", "w") as archive:
        archive.writestr("../../P1/a.dcm", b"film")
        archive.writestr("b.zip", b"film")
        archive.writestr("c.dcm", b"words")
    (films.root / "cut.zip").write_bytes((films.root / "ward.zip").read_bytes()[:-9])
    folder = scan_films(films.root, scratch=tmp_path / "scratch")
    assert listed(folder) == [
        ("cut.zip", "archive_corrupt"),
        ("ward.zip/../../P1/a.dcm", "archive_path"),
        ("ward.zip/b.zip", "archive_bomb"),
        ("ward.zip/c.dcm", "wrong_name"),
    ]
    assert not (tmp_path / "P1").exists()


def test_7z_and_rar_are_refused(films: FilmWriter, tmp_path: Path):
    for name in ("a.7z", "b.rar", "c.dcm.gz"):
        (films.root / name).write_bytes(b"packed")
    codes = {code for _, code in listed(scan_films(films.root, scratch=tmp_path / "scratch"))}
    assert codes == {"packed_file"}


# Film sets.


def test_an_index_of_a_complete_film_set_is_only_noted(films: FilmWriter):
    films.dicom("disc/pat0/im1", study="1.2.1", texture=1)
    write_dicomdir(films.root / "disc", ["PAT0", "IM1"])
    folder = scan_films(films.root)
    assert found(folder) == ["disc/pat0/im1"]
    assert listed(folder) == [("disc/DICOMDIR", "dicomdir")]


def test_images_that_an_index_lists_and_that_are_not_there_are_named(films: FilmWriter):
    films.dicom("PAT0/IM1", study="1.2.1", texture=1)
    write_dicomdir(films.root, ["PAT0", "IM1"], ["PAT0", "IM2"])
    folder = scan_films(films.root)
    assert listed(folder) == [("DICOMDIR", "dicomdir"), ("PAT0/IM2", "dicomdir_missing")]
    assert {refusal.kind for refusal in folder.refusals} == {"note"}


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_an_index_that_leads_out_of_its_folder_is_refused_and_not_followed(films: FilmWriter, tmp_path: Path):
    write_film(tmp_path / "SECRET")
    write_dicomdir(films.root, ["..", "SECRET"], ["/etc/passwd"])
    folder = scan_films(films.root)
    assert found(folder) == []
    assert listed(folder) == [("DICOMDIR", "dicomdir_outside"), ("DICOMDIR", "dicomdir")]


def test_a_film_set_in_an_archive_is_compared_there(films: FilmWriter, tmp_path: Path):
    inside = [films.dicom("IM1", study="1.2.1", texture=1), write_dicomdir(films.root, ["IM1"], ["IM2"])]
    zipped(films.root / "disc.zip", *inside, below=films.root)
    folder = scan_films(films.root, scratch=tmp_path / "scratch")
    assert listed(folder) == [("disc.zip/DICOMDIR", "dicomdir"), ("disc.zip/IM2", "dicomdir_missing")]


# Files that are in the way.


def test_pipes_broken_links_loops_and_empty_files_are_named_and_not_waited_for(films: FilmWriter):
    films.png("good.png", texture=1)
    os.mkfifo(films.root / "pipe.dcm")
    (films.root / "broken.dcm").symlink_to(films.root / "nothing")
    (films.root / "self.dcm").symlink_to(films.root / "self.dcm")
    (films.root / "loop").symlink_to(films.root, target_is_directory=True)
    (films.root / "empty.dcm").touch()
    folder = scan_films(films.root)
    assert found(folder) == ["good.png"]
    assert listed(folder) == [
        ("loop", "linked_folder"),
        ("broken.dcm", "unreadable"),
        ("empty.dcm", "empty_file"),
        ("pipe.dcm", "unreadable"),
        ("self.dcm", "unreadable"),
    ]


def test_a_film_that_may_not_be_read_is_named_with_the_reason(films: FilmWriter, monkeypatch: pytest.MonkeyPatch):
    closed = films.dicom("closed.dcm", study="1.2.1", texture=1)
    films.dicom("open.dcm", study="1.2.2", texture=2)
    opened = Path.open

    def guarded(self: Path, *arguments: object, **options: object) -> object:
        if self == closed:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    folder = scan_films(films.root)
    assert found(folder) == ["open.dcm"]
    (refusal,) = folder.refusals
    assert refusal.code == "unreadable"
    assert "permission denied" in refusal.why


def test_file_names_with_newlines_are_names(films: FilmWriter):
    films.png("a\nb.png", texture=1)
    (films.root / "c\nREFUSED: x.dcm").write_bytes(b"words")
    folder = scan_films(films.root)
    assert found(folder) == ["a\nb.png"]
    assert listed(folder) == [("c\nREFUSED: x.dcm", "wrong_name")]


def test_a_film_that_vanishes_between_the_scan_and_the_rendering_is_refused(films: FilmWriter):
    films.dicom("a.dcm", study="1.2.1", texture=1)
    (header,) = scan_films(films.root).headers
    header.path.unlink()
    with pytest.raises(DataError, match="unreadable"):
        load_film(header.path, settings=RenderSettings())


def test_uids_never_become_paths(films: FilmWriter, tmp_path: Path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.warns(UserWarning, match="Invalid value for VR UI"):
        write_film(films.root / "a.dcm", texture(1), SOPInstanceUID="../../x", StudyInstanceUID="../../y")
    assert listed(scan_films(films.root)) == [("a.dcm", "bad_uid")]
    assert sorted(tmp_path.rglob("*")) == [*before, films.root / "a.dcm"]


@pytest.mark.parametrize("name", ["1.2.840.1", "IM0001", "film.dcm", "film.bin"])
def test_dicom_without_preamble_is_named_whatever_it_is_called(films: FilmWriter, name: str):
    whole = films.dicom("a.dcm", study="1.2.1", texture=1)
    content = whole.read_bytes()
    bare = content[content.index(b"\x08\x00\x05\x00CS") :]
    whole.unlink()
    (films.root / name).write_bytes(bare)
    assert listed(scan_films(films.root)) == [(name, "not_dicom")]


def test_progress_counts_every_file_films_or_not(films: FilmWriter):
    films.dicom("a/1.dcm", study="1.2.1", texture=1)
    films.dicom("b/2.dcm", study="1.2.2", texture=2)
    (films.root / "notes.txt").write_text("words", encoding="utf-8")
    told: list[tuple[int, int]] = []
    scan_films(films.root, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
