from pathlib import Path, PurePath, PurePosixPath

import pytest

from tests.xray.data.chest_film import write_film
from tests.xray.data.film_set import write_dicomdir
from xray.data.dicomdir import folded, read_dicomdir
from xray.errors import Rejected


def test_the_images_of_an_index_are_paths_below_its_folder(tmp_path: Path):
    index = read_dicomdir(write_dicomdir(tmp_path, ["PAT0", "ST0", "IM1"], ["IM2"], ["IM2"]))
    assert index.images == (PurePosixPath("PAT0/ST0/IM1"), PurePosixPath("IM2"))
    assert index.outside == 0


def test_other_records_and_those_out_of_use_are_left_out(tmp_path: Path):
    path = write_dicomdir(tmp_path, ["IM1"], kinds=("SR DOCUMENT",))
    assert read_dicomdir(path).images == ()
    path = write_dicomdir(tmp_path, ["IM1"], in_use=0)
    assert read_dicomdir(path).images == ()


@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length")
@pytest.mark.parametrize(
    "parts",
    [
        ["..", "IM1"],
        ["A", "..", "..", "IM1"],
        ["/etc/passwd"],
        ["../IM1"],
        ["C:IM1"],
        ["."],
        ["A", "", "IM1"],
        ["A"] * 9,
    ],
)
def test_an_entry_that_leads_out_is_counted_and_never_a_path(tmp_path: Path, parts: list[str]):
    index = read_dicomdir(write_dicomdir(tmp_path, parts, ["IM2"]))
    assert index.images == (PurePosixPath("IM2"),)
    assert index.outside == 1


def test_names_compare_as_a_disc_and_a_copy_spell_them(tmp_path: Path):
    index = read_dicomdir(write_dicomdir(tmp_path, ["PAT0", "IM1"], ["PAT0", "IM2"], ["PAT0", "IM3"]))
    present = frozenset(map(folded, ("disc/pat0/im1", "disc/PAT0/IM2.;1", "PAT0/IM3")))
    assert index.missing(present, folder=PurePath("disc")) == (PurePosixPath("PAT0/IM3"),)


def test_what_is_no_index_is_refused(tmp_path: Path):
    with pytest.raises(Rejected, match="not_dicom"):
        read_dicomdir(write_film(tmp_path / "DICOMDIR"))
    (tmp_path / "DICOMDIR").write_bytes(b"words")
    with pytest.raises(Rejected, match="not_dicom"):
        read_dicomdir(tmp_path / "DICOMDIR")
