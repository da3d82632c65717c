"""What a preparation keeps as it goes, and how it becomes the shards of a store."""

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from xray.data import workspace
from xray.data.records import FilmFacts, RefusedFilm
from xray.data.shards import FilmRow, read_keys, read_rows, write_shard
from xray.data.stored_films import film_size, read_deep, read_film
from xray.data.workspace import Workspace
from xray.errors import DataError, Rejected
from xray.lock import being_read
from xray.records import read_lines, write_atomically
from xray.types import StoredFilm


def pixels_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (12, 9), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def film(number: int, *, deep: bool = False) -> FilmRow:
    facts = FilmFacts(
        sha256=f"{number:064x}",
        pixels_sha256=f"{number:064x}",
        perceptual_hash="0" * 64,
        render_digest="d",
        view="frontal",
        view_position="PA",
        rows=12,
        columns=9,
        bits_stored=12,
        photometric_interpretation="MONOCHROME2",
        pixel_spacing_mm=(0.1, 0.1),
        flags=("auto_window",),
    )
    master = png(pixels_of(number).astype(np.uint16) * 257) if deep else None
    return FilmRow(key=f"{number:024x}", facts=facts, image=png(pixels_of(number)), deep=master)


def filled(store: Path, numbers: range) -> Workspace:
    space = Workspace.open(store)
    for number in numbers:
        space.add(film(number))
    space.flush()
    return space


def keys(numbers: range) -> list[str]:
    return [film(number).key for number in numbers]


def files(store: Path) -> set[str]:
    return {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = [film(0), film(1, deep=True)]
    path = write_shard(tmp_path, rows)
    assert list(read_rows(path, [1, 0])) == [rows[1], rows[0]]
    places = [StoredFilm(shard=path, row=row, key="k") for row in (0, 1)]
    assert [read_deep(place) is None for place in places] == [True, False]
    assert np.array_equal(read_film(places[1]), pixels_of(1))
    assert np.array_equal(read_deep(places[1]), pixels_of(1).astype(np.uint16) * 257)
    assert film_size(places[0]) == (12, 9)


def test_a_shard_opens_as_a_hugging_face_data_set(tmp_path: Path) -> None:
    from datasets import Dataset

    data = Dataset.from_file(str(write_shard(tmp_path, [film(3)])))
    assert np.array_equal(np.asarray(data[0]["image"]), pixels_of(3))


def test_the_name_of_a_shard_follows_from_its_content(tmp_path: Path) -> None:
    first, second = (write_shard(tmp_path / name, [film(0), film(1)]) for name in "ab")
    assert first.name == second.name != write_shard(tmp_path / "a", [film(1), film(0)]).name
    assert files(tmp_path / "b") == {second.name}


def test_what_was_kept_before_a_kill_is_known_afterwards_and_what_waited_is_not(tmp_path: Path) -> None:
    space = filled(tmp_path, range(3))
    space.add(film(3))
    space.refuse("r", Rejected("blank_after_voi", "Nothing is to be seen."))
    assert space.known() == {*keys(range(4)), "r"}
    again = Workspace.open(tmp_path)
    assert again.known() == {*keys(range(3)), "r"}
    assert again.outcome(film(2).key) == film(2).facts
    refused = again.outcome("r")
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.why) == ("blank_after_voi", "Nothing is to be seen.")


@pytest.mark.parametrize("code", ["unreadable", "decode_timeout", "decode_memory", "decoder_crashed", "file_changed"])
def test_a_refusal_that_another_try_may_not_give_is_not_remembered(tmp_path: Path, code: str) -> None:
    tmp_path.mkdir(exist_ok=True)
    Workspace.open(tmp_path).refuse("r", Rejected(code, "Try again."))
    assert Workspace.open(tmp_path).known() == set()


def test_films_are_written_when_they_weigh_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_FLUSH_BYTES", film(0).size)
    space = Workspace.open(tmp_path)
    space.add(film(0))
    assert not (tmp_path / "parts").exists()
    space.add(film(1))
    assert len(list((tmp_path / "parts").iterdir())) == 1


def test_packing_gives_the_same_shards_whatever_order_the_films_came_in(tmp_path: Path) -> None:
    filled(tmp_path / "a", range(5))
    filled(tmp_path / "b", range(2, 5))
    filled(tmp_path / "b", range(5))
    first, second = (Workspace.open(tmp_path / name).pack(keys(range(5))) for name in "ab")
    assert first == second
    assert [read_keys(tmp_path / "b" / shard.path) for shard in second] == [keys(range(5))]


def test_shards_are_bounded_in_size_and_hold_each_film_once_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = filled(tmp_path, range(7))
    monkeypatch.setattr(workspace, "_SHARD_BYTES", 3 * max(film(number).size for number in range(7)))
    shards = space.pack(keys(range(7)))
    assert 2 <= len(shards) <= 4
    assert max(shard.films for shard in shards) <= 6
    assert [key for shard in shards for key in read_keys(tmp_path / shard.path)] == keys(range(7))
    assert [(tmp_path / shard.path).stat().st_size for shard in shards] == [shard.bytes for shard in shards]


def test_a_study_more_or_less_changes_its_own_shard_and_few_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "_SHARD_BYTES", 10 * film(0).size)
    space = filled(tmp_path, range(400))
    every = keys(range(400))
    whole = {shard.path: shard for shard in space.pack(every)}
    films = sum(shard.films for shard in whole.values()) / len(whole)
    assert 8 < films < 12
    for number in range(0, 400, 40):
        fewer = {shard.path for shard in space.pack(every[:number] + every[number + 2 :])}
        assert len(whole.keys() - fewer) <= 4
        assert len(fewer - whole.keys()) <= 4


def test_films_that_never_end_a_shard_are_packed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_SHARD_BYTES", 4 * max(film(number).size for number in range(20)))
    monkeypatch.setattr(workspace, "_ends_shard", lambda _key, size: False)
    shards = filled(tmp_path, range(20)).pack(keys(range(20)))
    assert [shard.films for shard in shards] == [8, 8, 4]


def test_a_finished_store_keeps_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    space = filled(tmp_path, range(4))
    space.refuse("r", Rejected("not_grey", "It is coloured."))
    space.refuse("old", Rejected("not_grey", "It is coloured."))
    shards = space.pack(keys(range(2)))
    space.clear(keep={shard.path for shard in shards}, refused={"r"})
    assert files(tmp_path) == {shards[0].path, "refused.jsonl", ".readers"}
    assert [line.key for line in read_lines(tmp_path / "refused.jsonl", RefusedFilm, remedy="")] == ["r"]
    assert Workspace.open(tmp_path).known() == {*keys(range(2)), "r"}


def test_films_that_somebody_reads_are_deleted_by_the_next_preparation_only(tmp_path: Path) -> None:
    space = filled(tmp_path, range(4))
    (old,), (new,) = space.pack(keys(range(4))), space.pack(keys(range(2)))
    with being_read(tmp_path):
        with being_read(tmp_path):
            space.clear(keep={new.path}, refused=())
        assert files(tmp_path) == {old.path, new.path, "refused.jsonl", ".readers"}
    Workspace.open(tmp_path).clear(keep={new.path}, refused=())
    assert files(tmp_path) == {new.path, "refused.jsonl", ".readers"}


def test_a_shard_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    (shard,) = filled(tmp_path, range(3)).pack(keys(range(3)))
    before = (tmp_path / shard.path).stat().st_mtime_ns
    assert Workspace.open(tmp_path).pack(keys(range(3))) == (shard,)
    assert (tmp_path / shard.path).stat().st_mtime_ns == before


def test_damaged_and_half_written_files_are_removed_and_their_films_forgotten(tmp_path: Path) -> None:
    filled(tmp_path, range(2))
    (part,) = (tmp_path / "parts").iterdir()
    part.write_bytes(part.read_bytes()[:900])
    (tmp_path / "parts/123-45.part").write_bytes(b"half")
    assert Workspace.open(tmp_path).known() == set()
    assert files(tmp_path) == set()


def test_a_file_that_the_system_does_not_let_be_read_is_an_error_and_stays(tmp_path: Path) -> None:
    filled(tmp_path, range(2))
    loop = tmp_path / "parts" / f"{7:032x}.arrow"
    loop.symlink_to(loop)  # no right to open it would not do: tests may run as root
    with pytest.raises(DataError, match=rf"{loop.name} cannot be read: .*symbolic links.*Nothing was deleted"):
        Workspace.open(tmp_path)
    assert len(list((tmp_path / "parts").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"no Arrow file " * 100])
def test_a_file_of_ours_that_is_empty_or_something_else_is_removed(tmp_path: Path, content: bytes) -> None:
    filled(tmp_path, range(2))
    damaged = tmp_path / "parts" / f"{7:032x}.arrow"
    damaged.write_bytes(content)
    assert Workspace.open(tmp_path).known() == set(keys(range(2)))
    assert not damaged.exists()


def test_a_damaged_film_names_the_file_to_delete(tmp_path: Path) -> None:
    path = write_shard(tmp_path, [FilmRow(key="k", facts=film(0).facts, image=b"\x89PNG nonsense")])
    with pytest.raises(DataError, match=r"film k of .*\.arrow is damaged. Delete this file"):
        read_film(StoredFilm(shard=path, row=0, key="k"))


def test_a_damaged_list_of_refusals_stops_nothing(tmp_path: Path) -> None:
    filled(tmp_path, range(2))
    (tmp_path / "refused.jsonl").write_bytes(b'{"key": "a"\n{"key"\xff\n')
    assert Workspace.open(tmp_path).known() == set(keys(range(2)))


def test_a_disk_without_room_is_told_with_the_file_that_found_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for write in (lambda: write_shard(tmp_path, [film(1)]), lambda: write_atomically(tmp_path / "a.json", "{}")):
        with pytest.raises(OSError, match="No space left") as caught:
            write()
        assert str(caught.value.filename).startswith(str(tmp_path))
