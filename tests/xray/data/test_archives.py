"""Zip and tar files: what comes out, what is refused by name, and that nothing is ever written elsewhere."""

import io
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xray.data import archives
from xray.data.archives import Unpacked, is_archive, unpack
from xray.errors import DataError

FILM = bytes(range(256)) * 20


class Packer:
    """Writes archives, and unpacks them into a fresh folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def zip(self, *entries: tuple[str | zipfile.ZipInfo, bytes], name: str = "ward.zip") -> Path:
        with zipfile.ZipFile(self.folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries:
                archive.writestr(entry, content)
        return self.folder / name

    def tar(self, *entries: tuple[str | tarfile.TarInfo, bytes], name: str = "ward.tar.gz") -> Path:
        with tarfile.open(self.folder / name, "w:gz" if name.endswith("gz") else "w") as archive:
            for entry, content in entries:
                info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
                info.size = len(content) if info.isfile() else 0
                archive.addfile(info, io.BytesIO(content))
        return self.folder / name

    def unpack(self, archive: Path) -> Unpacked:
        unpacked = unpack(archive, into=self.folder / "scratch" / str(len(list(self.folder.glob("scratch/*")))))
        inside = sorted(path for path in (self.folder / "scratch").rglob("*") if path.is_file())
        assert sorted(file.path for file in unpacked.files) == inside  # no byte anywhere else, none that nobody knows
        return unpacked


@pytest.fixture
def packer(tmp_path: Path) -> Packer:
    return Packer(tmp_path)


def content_of(unpacked: Unpacked) -> dict[str, bytes]:
    return {file.name.as_posix(): file.path.read_bytes() for file in unpacked.files}


def refused(unpacked: Unpacked) -> list[tuple[str | None, str]]:
    return [(member.name and member.name.as_posix(), member.refusal.code) for member in unpacked.refused]


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (mode | 0o644) << 16
    return info


def linked(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz", "tar.gz"])
def test_films_come_out_under_numbers_and_keep_their_names_beside(packer: Packer, kind: str):
    entries = [("P1/a.dcm", FILM), ("P1/sub/b.dcm", FILM[::-1]), ("P1/empty", b"")]
    entries += [(".DS_Store", b"x"), ("__MACOSX/P1/._a.dcm", b"x"), ("P1/.hidden", b"x")]
    name = f"ward.{kind}"
    archive = packer.zip(*entries) if kind == "zip" else packer.tar(*entries, name=name)
    assert is_archive(name.upper())
    unpacked = packer.unpack(archive)
    assert content_of(unpacked) == {"P1/a.dcm": FILM, "P1/sub/b.dcm": FILM[::-1], "P1/empty": b""}
    assert refused(unpacked) == []
    assert all(file.path.name.isdecimal() for file in unpacked.files)


CLIMBERS = ["../a.dcm", "P1/../../a.dcm", "/tmp/a.dcm", "C:/a.dcm", "c:\\a.dcm", "P1\\..\\..\\a.dcm", "..", "//x/a.dcm"]


@pytest.mark.parametrize("name", CLIMBERS)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_climbs_out_of_its_folder_is_refused_and_the_others_are_not(packer: Packer, name: str, kind: str):
    entries = [(name, FILM), ("good.dcm", FILM)]
    unpacked = packer.unpack(packer.zip(*entries) if kind == "zip" else packer.tar(*entries))
    assert [code for _, code in refused(unpacked)] == ["archive_path"]
    assert content_of(unpacked) == {"good.dcm": FILM}


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(packer: Packer, mode: int):
    unpacked = packer.unpack(packer.zip((special("a.dcm", mode), b"/etc/passwd"), ("b.dcm", FILM)))
    assert refused(unpacked) == [("a.dcm", "archive_link")]
    assert content_of(unpacked) == {"b.dcm": FILM}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar_are_refused(packer: Packer, kind: bytes):
    unpacked = packer.unpack(packer.tar((linked("a.dcm", kind), b""), ("b.dcm", FILM)))
    assert refused(unpacked) == [("a.dcm", "archive_link")]
    assert content_of(unpacked) == {"b.dcm": FILM}


def test_a_bomb_is_refused_whole_before_it_is_on_the_disk(packer: Packer):
    zeros = bytes(40 << 20)
    archive = packer.zip(("a.dcm", FILM), ("b.dcm", zeros), ("c.dcm", zeros))
    assert archive.stat().st_size < 100_000
    unpacked = packer.unpack(archive)
    assert refused(unpacked) == [(None, "archive_bomb")]
    assert unpacked.files == ()
    assert refused(packer.unpack(packer.tar(("b.dcm", zeros), ("c.dcm", zeros)))) == [(None, "archive_bomb")]


def test_an_archive_inside_an_archive_is_not_opened(packer: Packer):
    inner = packer.zip(("lib0.zip", FILM), name="inner.zip").read_bytes()
    entries = [(f"lib{number}.zip", inner) for number in range(16)]  # as 42.zip is built, five levels of it
    unpacked = packer.unpack(packer.zip(*entries, ("a.dcm", FILM)))
    assert {code for _, code in refused(unpacked)} == {"archive_bomb"}
    assert content_of(unpacked) == {"a.dcm": FILM}


def test_too_many_members_are_a_bomb(packer: Packer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    entries = [(f"{number}.dcm", b"") for number in range(11)]
    assert refused(packer.unpack(packer.zip(*entries))) == [(None, "archive_bomb")]
    assert refused(packer.unpack(packer.tar(*entries))) == [(None, "archive_bomb")]


def test_a_table_of_contents_that_would_fill_the_memory_is_not_read(packer: Packer):
    archive = packer.zip(("a.dcm", FILM))
    content = bytearray(archive.read_bytes())
    struct.pack_into("<L", content, content.rfind(b"PK\x05\x06") + 12, 1 << 30)
    archive.write_bytes(content)
    assert refused(packer.unpack(archive)) == [(None, "archive_bomb")]


def test_a_tar_header_of_gigabytes_is_not_read(packer: Packer):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 8 << 30
    path = packer.folder / "ward.tar"
    path.write_bytes(info.tobuf(format=tarfile.GNU_FORMAT) + bytes(4096))
    assert refused(packer.unpack(path)) == [(None, "archive_bomb")]


def test_a_tar_member_of_negative_size_does_not_turn_back_for_ever(packer: Packer):
    header = bytearray(tarfile.TarInfo("a.dcm").tobuf(format=tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + struct.pack(">h", -512)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    path = packer.folder / "ward.tar"
    good = tarfile.TarInfo("b.dcm").tobuf(format=tarfile.GNU_FORMAT)
    path.write_bytes(good + bytes(header) + bytes(1024))
    assert refused(packer.unpack(path)) == [(None, "archive_corrupt")]


def test_an_archive_larger_than_half_the_free_disk_is_not_unpacked(packer: Packer, monkeypatch: pytest.MonkeyPatch):
    usage = type("Usage", (), {"free": 4096})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    assert refused(packer.unpack(packer.zip(("a.dcm", FILM)))) == [(None, "archive_too_large")]


def test_a_disk_that_is_full_is_no_fault_of_the_archive(packer: Packer, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, mode: str = "r", *args: object) -> io.IOBase:
        if mode == "xb":
            raise OSError(28, "No space left on device")
        return opened(self, mode, *args)

    opened = Path.open
    archive = packer.zip(("a.dcm", FILM))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match="No space left"):
        unpack(archive, into=packer.folder / "scratch")


def test_encrypted_members_are_refused(packer: Packer):
    archive = packer.zip(("a.dcm", FILM))
    content = bytearray(archive.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(magic) + place] |= 1
    archive.write_bytes(content)
    assert refused(packer.unpack(archive)) == [("a.dcm", "archive_encrypted")]


def test_a_member_with_a_wrong_check_sum_is_refused_and_not_left_behind(packer: Packer):
    info = zipfile.ZipInfo("a.dcm")
    info.compress_type = zipfile.ZIP_STORED
    archive = packer.zip((info, FILM), ("b.dcm", FILM))
    content = bytearray(archive.read_bytes())
    content[100] ^= 1
    archive.write_bytes(content)
    unpacked = packer.unpack(archive)
    assert refused(unpacked) == [("a.dcm", "archive_corrupt")]
    assert content_of(unpacked) == {"b.dcm": FILM}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_methods_of_packing_are_refused(packer: Packer, method: int):
    info = zipfile.ZipInfo("a.dcm")
    info.compress_type = method
    path = packer.folder / "ward.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, FILM, compress_type=method)
    assert refused(packer.unpack(path)) == [("a.dcm", "packed_file")]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_that_was_cut_off_anywhere_gives_nothing(packer: Packer, kind: str):
    entries = [(f"{number}.dcm", os.urandom(700)) for number in range(4)]
    archive = packer.zip(*entries) if kind == "zip" else packer.tar(*entries, name=f"ward.{kind}")
    content = archive.read_bytes()
    # a tar file is padded to 10 KiB; what counts is cut off where the films end
    end = 4 * 1536 if kind == "tar" else len(content)
    for length in [*range(0, end, end // 13), end - 1]:
        archive.write_bytes(content[:length])
        unpacked = packer.unpack(archive)
        assert refused(unpacked) == [(None, "archive_corrupt")], length
        assert unpacked.files == ()


@pytest.mark.parametrize("content", [b"", b"words", b"PK\x05\x06", bytes(1024)])
@pytest.mark.parametrize("name", ["ward.zip", "ward.tar", "ward.tgz"])
def test_what_is_no_archive_is_refused_as_damaged(packer: Packer, name: str, content: bytes):
    (packer.folder / name).write_bytes(content)
    if (name, len(content)) != ("ward.tar", 1024):  # two empty blocks are an empty tar file
        assert refused(packer.unpack(packer.folder / name)) == [(None, "archive_corrupt")]


def test_names_in_gbk_are_read_and_so_are_those_in_utf_8(packer: Packer):
    spelled = "王某/胸片.dcm"
    names = [file.name.as_posix() for file in unpack_raw(packer, spelled).files]
    assert names == [spelled, spelled, spelled]


def unpack_raw(packer: Packer, spelled: str) -> Unpacked:
    """Unpack a zip whose first name is GBK, whose second is UTF-8, both without the flag, and whose third has it."""
    entries = [(spelled.encode("gbk"), 0), (spelled.encode("utf-8"), 0), (spelled.encode("utf-8"), 0x800)]
    body, directory = b"", b""
    for name, flags in entries:
        common = struct.pack("<HHHHHLLLHH", 20, flags, 0, 0, 0x21, 0, 0, 0, len(name), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, len(body)) + name
        )
        body += b"PK\x03\x04" + common + name
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 3, 3, len(directory), len(body), 0)
    path = packer.folder / "names.zip"
    path.write_bytes(body + directory + end)
    return packer.unpack(path)


def test_a_zip_of_more_than_4_gib_is_read_by_its_own_table(packer: Packer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    archive = packer.zip(*((f"{number}.dcm", FILM) for number in range(4)))
    assert b"PK\x06\x06" in archive.read_bytes()
    assert len(packer.unpack(archive).files) == 4


def test_an_archive_that_may_not_be_read_and_a_pipe_are_unreadable(packer: Packer):
    os.mkfifo(packer.folder / "pipe.zip")
    assert refused(packer.unpack(packer.folder / "pipe.zip")) == [(None, "unreadable")]
    assert refused(packer.unpack(packer.folder / "nothing.zip")) == [(None, "unreadable")]


def test_no_refusal_names_the_archive_or_its_members(packer: Packer):
    entries = [("../CANARY.dcm", FILM), (linked("CANARY-2.dcm", tarfile.SYMTYPE, "CANARY"), b""), ("CANARY.zip", b"")]
    unpacked = packer.unpack(packer.tar(*entries, name="CANARY-7.tar"))
    assert len(unpacked.refused) == 3
    assert not any("CANARY" in f"{member!r} {member.refusal}" for member in unpacked.refused)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["zip", "tar", "tar.gz"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    length=st.floats(0.1, 1),
)
def test_a_damaged_archive_ends_in_files_or_refusals_and_nothing_else(packer: Packer, kind, changes, length):
    entries = [("P1/a.dcm", FILM), ("P1/b.dcm", FILM[::-1])]
    archive = packer.zip(*entries) if kind == "zip" else packer.tar(*entries, name=f"ward.{kind}")
    content = bytearray(archive.read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    archive.write_bytes(content[: int(length * len(content))])
    target = packer.folder / "scratch" / "fuzz"
    unpacked = unpack(archive, into=target)
    for file in unpacked.files:
        assert file.path.parent == target
        file.path.unlink()
    if target.exists():
        target.rmdir()
    assert {code for _, code in refused(unpacked)} <= {
        "archive_bomb",
        "archive_corrupt",
        "archive_encrypted",
        "archive_link",
        "archive_path",
        "archive_too_large",
        "packed_file",
        "too_large",
    }
