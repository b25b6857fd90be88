from __future__ import annotations

import re
import struct
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
    pickled,
    read,
    storage,
    tensor,
    zip_checkpoint,
)

PAIR = np.array([1, 2], np.float32)
STORAGES = {"0": PAIR}
ROOT = pickled({"weight": tensor(storage("0", 2), (2,), (1,))})
ARCHIVE = zip_checkpoint(ROOT, STORAGES)

# Offsets in the records of a zip archive, as PKWARE's APPNOTE has them.
END = len(ARCHIVE) - 22
DIRECTORY = struct.unpack_from("<L", ARCHIVE, END + 16)[0]
LAST = ARCHIVE.rindex(b"PK\x03\x04")


def altered(at: int, code: str, value: object) -> bytes:
    content = bytearray(ARCHIVE)
    struct.pack_into(code, content, at, value)
    return bytes(content)


def test_the_archive_that_is_altered_below_is_sound(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (altered(END + 20, "<H", 1), "want an end record without comment"),
        (ARCHIVE + b"!", "want an end record without comment"),
        (altered(END + 4, "<H", 1), "want all"),
        (altered(END + 8, "<H", 2), "has 2 of 3 entries here"),
        (altered(END + 10, "<H", 0xFFFF), "65535 entries or 4 GiB"),
        (altered(END + 16, "<L", 0xFFFFFFFF), "65535 entries or 4 GiB"),
        (altered(END + 12, "<L", 0xFFFFFFF0), "want all, before byte"),
        (altered(END + 16, "<L", DIRECTORY + 1), "want all, before byte"),
        (altered(END + 16, "<L", DIRECTORY - 1), "zip directory has no entry at its byte 0"),
        (altered(END + 8, "<L", 2 | 2 << 16), "its 2 entries have"),
        (altered(END + 8, "<L", 4 | 4 << 16), "zip directory has no entry at its byte"),
        (altered(DIRECTORY + 8, "<H", 1), "'net/data.pkl' is encrypted"),
        (altered(DIRECTORY + 8, "<H", 1 << 13), "'net/data.pkl' is encrypted"),
        (altered(DIRECTORY + 10, "<H", 8), "is compressed by method 8, want it stored"),
        (altered(DIRECTORY + 16, "<L", 1), "want 00000001"),
        (altered(DIRECTORY + 20, "<L", 1), "has 1 bytes for"),
        (altered(DIRECTORY + 28, "<H", 1), "zip directory has no entry at its byte 47"),
        (altered(DIRECTORY + 32, "<H", 999), "zip directory has no entry"),
        (altered(DIRECTORY + 42, "<L", 1), "want what the directory says"),
        (altered(DIRECTORY + 42, "<L", 0xFFFFFFFF), "has or is beyond 4 GiB"),
        (altered(DIRECTORY + 42, "<L", 0xFFFFFFF0), "header of zip entry 'net/data.pkl': want"),
        (altered(DIRECTORY + 46, "<B", 0xFF), "the name is not UTF-8"),
        (altered(8, "<H", 8), "method 8, want what the directory says"),
        (altered(28, "<H", 0xFFFF), "overlaps what is next to it"),
        (altered(28, "<H", 1), "overlaps what is next to it"),
        (altered(LAST + 28, "<H", 1), "'net/data/0' overlaps what is next to it"),
        (altered(30, "<B", ord("N")), "want what the directory says"),
    ],
)
def test_altered_archives(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


def test_an_archive_without_checksums(tmp_path: Path) -> None:
    content = bytearray(ARCHIVE)
    at = content.index(b"PK\x01\x02")
    while at >= 0:
        content[at + 16 : at + 20] = bytes(4)
        at = content.find(b"PK\x01\x02", at + 1)
    assert read(tmp_path, bytes(content))["weight"].tolist() == [1, 2]


def test_entries_that_lie_in_one_another(tmp_path: Path) -> None:
    inner = zip_checkpoint(ROOT, {}, more=())[: -22 - 46 - len("net/data.pkl")]
    held = np.frombuffer(inner, np.uint8)
    content = bytearray(zip_checkpoint(ROOT, {"0": PAIR, "9": held}, more=()))
    struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 42, content.rindex(inner))
    with pytest.raises(DamagedCheckpointError, match="overlaps what is next to it"):
        read(tmp_path, bytes(content))


@pytest.mark.parametrize("name", ["/etc/x", "../x", "net/../../x", "net\\x", "net/.."])
def test_names_that_lead_out_of_the_archive(tmp_path: Path, name: str) -> None:
    content = zip_checkpoint(ROOT, STORAGES, more=[(name, b"")])
    with pytest.raises(RefusedCheckpointError, match="want a name inside of the archive"):
        read(tmp_path, content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["net/data.pkl", "net/data/0"])
def test_a_name_twice(tmp_path: Path, name: str) -> None:
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
def test_archives_that_are_no_checkpoint(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


@pytest.mark.parametrize("more", [[], [("net/version", b"3\n"), ("net/code/x.py", b"1")]])
def test_other_entries_do_not_matter(tmp_path: Path, more: list[tuple[str, bytes]]) -> None:
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
        (legacy_checkpoint(ROOT, STORAGES, keys=["0", "1"]), "'1' is listed twice or is no"),
        (legacy_checkpoint(ROOT, STORAGES, keys=[0]), "storage key 0 is"),
        (legacy_checkpoint(ROOT, STORAGES, keys=[()]), "storage key a tuple of 0 is"),
        (legacy_checkpoint(ROOT, {"0": PAIR[:1]}), "'0' has 1 elements, its tensor wants 2"),
        (LEGACY[:-16] + b"\xff" * 8 + LEGACY[-8:], "'0' has -1 elements, its tensor wants 2"),
        (LEGACY[:-1], "storage '0': want bytes"),
        (LEGACY[:-9], "count of storage '0': want bytes"),
        (LEGACY + b"!", "storages end at byte"),
    ],
)
def test_legacy_files_at_odds_with_themselves(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, content)


def test_a_storage_larger_than_the_file_takes_no_memory(tmp_path: Path) -> None:
    root = pickled({"weight": tensor(storage("0", 2**40), (2**40,), (1,))})
    content = legacy_checkpoint(root, {})[: -len(pickled([]))] + pickled(["0"])
    with pytest.raises(DamagedCheckpointError, match="storage '0': want bytes"):
        read(tmp_path, content + struct.pack("<q", 2**40) + bytes(100))
