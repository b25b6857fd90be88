from __future__ import annotations

import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from posewire_server.models.errors import (
    CheckpointError,
    DamagedCheckpointError,
    RefusedCheckpointError,
)
from tests.reference.checkpoint_writer import (
    legacy_checkpoint,
    read,
    storage,
    tensor,
    to_pickle,
    zip_checkpoint,
)

PAIR = np.array([1, 2], np.float32)
STORAGES = {"0": PAIR}
ROOT = to_pickle({"weight": tensor(storage("0", 2), (2,), (1,))})
ARCHIVE = zip_checkpoint(ROOT, STORAGES)

# Offsets in the records of a zip archive, as PKWARE's APPNOTE has them.
END = len(ARCHIVE) - 22
DIRECTORY = struct.unpack_from("<L", ARCHIVE, END + 16)[0]
LAST = ARCHIVE.rindex(b"PK\x03\x04")


def alter(at: int, code: str, value: object) -> bytes:
    content = bytearray(ARCHIVE)
    struct.pack_into(code, content, at, value)
    return bytes(content)


def test_the_unaltered_archive_is_valid(tmp_path: Path) -> None:
    assert read(tmp_path, ARCHIVE)["weight"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"PK\x03\x04",
        b"<html>Not found</html>",
        b"version https://git-lfs",
        b"\0" * 999,
    ],
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DamagedCheckpointError, match=re.escape(f"{tmp_path}")):
        read(tmp_path, content)


OVERLAPS = "overlaps the entry before or after it"
CANNOT_BE_READ = "zip entry 'net/data.pkl' cannot be read: "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (alter(END, "<B", 0), "zip archive cannot be read: File is not a zip file"),
        (alter(END + 12, "<L", 0xFFFFFFF0), "zip archive cannot be read: Bad offset"),
        (alter(END + 12, "<L", 1), "zip archive cannot be read: Truncated central directory"),
        (alter(END + 16, "<L", 0xFFFFFFFF), OVERLAPS),
        (alter(END + 16, "<L", DIRECTORY + 1), OVERLAPS),
        (alter(END + 16, "<L", DIRECTORY - 1), "'net/byteorder' cannot be read: Bad magic"),
        (alter(DIRECTORY + 8, "<H", 1), "'net/data.pkl' is encrypted"),
        (alter(DIRECTORY + 8, "<H", 1 << 6), "'net/data.pkl' is encrypted"),
        (alter(DIRECTORY + 8, "<H", 1 << 13), "'net/data.pkl' is encrypted"),
        (alter(DIRECTORY + 10, "<H", 8), "is compressed by method 8 from"),
        (alter(DIRECTORY + 16, "<L", 1), CANNOT_BE_READ + "Bad CRC-32"),
        (alter(DIRECTORY + 20, "<L", 1), "to 1 bytes, want it stored"),
        (alter(DIRECTORY + 28, "<H", 1), "zip archive cannot be read: Bad magic number"),
        (alter(DIRECTORY + 32, "<H", 999), "zip archive has no storage '0'"),
        (alter(DIRECTORY + 42, "<L", 1), CANNOT_BE_READ + "Bad magic number"),
        (alter(DIRECTORY + 42, "<L", 0xFFFFFFFF), OVERLAPS),
        (alter(DIRECTORY + 42, "<L", 0xFFFFFFF0), OVERLAPS),
        (alter(DIRECTORY + 46, "<B", 0xFF), "File name in directory"),
        (alter(DIRECTORY + 46 + 3, "<B", 0), "want a name inside the archive"),
        (alter(28, "<H", 0xFFFF), CANNOT_BE_READ),
        (alter(28, "<H", 1), CANNOT_BE_READ),
        (alter(LAST + 28, "<H", 1), "zip entry 'net/data/0' cannot be read: "),
        (alter(30, "<B", ord("N")), CANNOT_BE_READ + "File name in directory"),
    ],
)
def test_altered_archives(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        alter(END + 20, "<H", 1),  # a comment
        ARCHIVE + b"!",
        alter(END + 4, "<H", 1),  # the number of this disk
        alter(END + 8, "<L", 2 | 3 << 16),  # entries on this disk and in all
        alter(END + 8, "<L", 0xFFFFFFFF),
        alter(8, "<H", 8),  # the compression in the entry's own header
    ],
)
def test_what_zipfile_does_not_read_does_not_matter(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content)["weight"].tolist() == [1, 2]


@pytest.mark.parametrize("zip64", [False, True])
def test_a_large_directory_takes_no_memory(tmp_path: Path, zip64: bool) -> None:
    """zipfile would make an object of each entry, with some 15 times its bytes."""
    entry = b"PK\x01\x02" + bytes(42)
    directory = entry * (2**21 // len(entry) + 1)
    start, length, count = DIRECTORY, len(directory), len(directory) // len(entry)
    content = ARCHIVE[:DIRECTORY] + directory
    if zip64:
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start)
        content += end + struct.pack("<4sLQL", b"PK\6\7", 0, len(content), 1)
        start, length, count = 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFF
    content += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, 0)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedCheckpointError, match=r"zip directory has \d+ bytes, want at"):
            read(tmp_path, content)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 10**6


def test_messages_stay_short(tmp_path: Path) -> None:
    content = bytearray(zip_checkpoint(ROOT, {"0": np.zeros(10_000, np.float32)}))
    struct.pack_into("<H", content, 26, 30_000)  # the length of the name in the first header
    with pytest.raises(DamagedCheckpointError, match="File name in directory") as caught:
        read(tmp_path, bytes(content))
    assert len(str(caught.value)) < 1000


def test_an_archive_without_checksums(tmp_path: Path) -> None:
    content = bytearray(ARCHIVE)
    at = content.index(b"PK\x01\x02")
    while at >= 0:
        content[at + 16 : at + 20] = bytes(4)
        at = content.find(b"PK\x01\x02", at + 1)
    assert read(tmp_path, bytes(content))["weight"].tolist() == [1, 2]


def test_nested_entries(tmp_path: Path) -> None:
    inner = zip_checkpoint(ROOT, {}, more=())[: -22 - 46 - len("net/data.pkl")]
    held = np.frombuffer(inner, np.uint8)
    content = bytearray(zip_checkpoint(ROOT, {"0": PAIR, "9": held}, more=()))
    struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 42, content.rindex(inner))
    with pytest.raises(DamagedCheckpointError, match=OVERLAPS):
        read(tmp_path, bytes(content))


@pytest.mark.parametrize("name", ["/etc/x", "../x", "net/../../x", "net\\x", "net/.."])
def test_names_outside_the_archive(tmp_path: Path, name: str) -> None:
    content = zip_checkpoint(ROOT, STORAGES, more=[(name, b"")])
    with pytest.raises(RefusedCheckpointError, match="want a name inside the archive"):
        read(tmp_path, content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["net/data.pkl", "net/data/0"])
def test_a_duplicate_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedCheckpointError, match=f"has '{name}' twice"):
        read(tmp_path, zip_checkpoint(ROOT, STORAGES, more=[(name, b"")]))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_archives(tmp_path: Path, compression: int) -> None:
    zeros = {"0": np.zeros(10**6, np.float32)}
    with pytest.raises(RefusedCheckpointError, match=f"compressed by method {compression}"):
        read(tmp_path, zip_checkpoint(ROOT, zeros, compression=compression))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zip_checkpoint(ROOT, STORAGES, name="a/net"), "want one, in the outermost folder"),
        (zip_checkpoint(ROOT, STORAGES, more=[("b/data.pkl", b"")]), "has 2 entries */data.pkl"),
        (zip_checkpoint(ROOT, {}), "zip archive has no storage '0'"),
        (zip_checkpoint(ROOT, {"0": PAIR[:1]}), "has 4 bytes, its tensor wants 8"),
        (zip_checkpoint(ROOT, {"0": np.ones(3, np.float32)}), "has 12 bytes, its tensor wants 8"),
        (zip_checkpoint(ROOT + b"N", STORAGES), f"pickle ends at byte {len(ROOT)}, zip entry"),
        (zip_checkpoint(ROOT, {}, more=[("net/byteorder", b"big")]), "byte order is b'big'"),
        (zip_checkpoint(ROOT, {}, more=[("net/byteorder", bytes(10**6))]), "byte order is b'...'"),
    ],
)
def test_archives_that_are_not_checkpoints(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


@pytest.mark.parametrize("more", [[], [("net/version", b"3\n"), ("net/code/x.py", b"1")]])
def test_other_entries_are_ignored(tmp_path: Path, more: list[tuple[str, bytes]]) -> None:
    assert list(read(tmp_path, zip_checkpoint(ROOT, STORAGES, more=more))) == ["weight"]


LEGACY = legacy_checkpoint(ROOT, STORAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (legacy_checkpoint(ROOT, STORAGES, magic_number=1), "magic number is 1, want 1195470"),
        (legacy_checkpoint(ROOT, STORAGES, magic_number=[]), "magic number is a list of 0"),
        (legacy_checkpoint(ROOT, STORAGES, protocol_version=1000), "protocol version is 1000"),
        (legacy_checkpoint(ROOT, STORAGES, system={"little_endian": False}), "is False, want True"),
        (legacy_checkpoint(ROOT, STORAGES, system={"x": 1}), "little_endian is None, want True"),
        (legacy_checkpoint(ROOT, STORAGES, system=[1]), "system is a list of 1, want a dict"),
        (legacy_checkpoint(ROOT, STORAGES, system={1: 1}), "has 1 for a key"),
        (legacy_checkpoint(ROOT, STORAGES, keys="0"), "storage keys are '0', want a list"),
        (legacy_checkpoint(ROOT, STORAGES, keys=[]), "1 storages are not listed, '0' is one"),
        (legacy_checkpoint(ROOT, STORAGES, keys=["0", "0"]), "'0' is listed twice"),
        (
            legacy_checkpoint(ROOT, STORAGES, keys=["0", "1"]),
            "'1' is listed twice or belongs to no",
        ),
        (legacy_checkpoint(ROOT, STORAGES, keys=[0]), "storage key 0 is"),
        (legacy_checkpoint(ROOT, STORAGES, keys=[()]), "storage key a tuple of 0 is"),
        (legacy_checkpoint(ROOT, {"0": PAIR[:1]}), "'0' has 1 elements, its tensor wants 2"),
        (LEGACY[:-16] + b"\xff" * 8 + LEGACY[-8:], "'0' has -1 elements, its tensor wants 2"),
        (LEGACY[:-1], f"storage '0' ends at byte {len(LEGACY)}, the file has {len(LEGACY) - 1}"),
        (LEGACY[:-9], f"has 7 bytes at byte {len(LEGACY) - 16}, want 8"),
        (LEGACY + b"!", "storages end at byte"),
    ],
)
def test_inconsistent_legacy_files(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


def test_a_storage_larger_than_the_file_takes_no_memory(tmp_path: Path) -> None:
    root = to_pickle({"weight": tensor(storage("0", 2**40), (2**40,), (1,))})
    content = legacy_checkpoint(root, {})[: -len(to_pickle([]))] + to_pickle(["0"])
    with pytest.raises(DamagedCheckpointError, match="storage '0' ends at byte"):
        read(tmp_path, content + struct.pack("<q", 2**40) + bytes(100))
