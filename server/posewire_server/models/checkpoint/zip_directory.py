"""Where the entries of a zip archive lie.

PyTorch stores entries uncompressed, so that an entry is a run of the file's bytes and there is
nothing that could unfold. The layout is PKWARE's APPNOTE 6.3.10. `zipfile` is not used, as it takes
memory for whatever number of entries a directory has before one may look at them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from posewire_server.models.checkpoint.byte_source import ByteSource, Extent
from posewire_server.models.checkpoint.pickled import described
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

# 4.3.16: signature, number of this disk and of the directory's, entries here and in all, bytes of
# the directory and where it starts, bytes of the comment
_END = struct.Struct("<4s4H2LH")
# 4.3.12: signature, version made by and needed, flags, method, time, date, CRC-32, bytes compressed
# and not, bytes of name, extra and comment, disk, attributes (2), start of the local header
_ENTRY = struct.Struct("<4s6H3L5H2L")
# 4.3.7: signature, version needed, flags, method, time, date, CRC-32, bytes compressed and not,
# bytes of name and extra
_LOCAL = struct.Struct("<4s5H3L2H")

_STORED = 0
# Bits 0 and 6 say that the content is encrypted, 13 that the headers are.
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_ZIP64_COUNT = 0xFFFF
_ZIP64_BYTES = 0xFFFFFFFF


class _Entry(NamedTuple):
    name: bytes
    header: int
    length: int
    crc32: int | None


def read_zip_directory(source: ByteSource) -> dict[str, Extent]:
    """The content of each entry by its name.

    Raises `CheckpointError` for an archive with a comment, in parts, encrypted, compressed or of
    4 GiB and more; for entries that overlap, share a name or have one that leads elsewhere; and
    where the directory and an entry's own header disagree on its name or method.
    """
    directory, count = _directory(source)
    extents: dict[str, Extent] = {}
    previous_end = 0
    for entry in sorted(_entries(source, directory, count), key=lambda entry: entry.header):
        name = _name(entry)
        if name in extents:
            raise DamagedCheckpointError(f"zip archive has {described(name)} twice")
        content = _content(source, entry)
        if entry.header < previous_end or content.end > directory.start:
            raise DamagedCheckpointError(f"{content.what} overlaps what is next to it")
        previous_end = content.end
        extents[name] = content
    return extents


def _directory(source: ByteSource) -> tuple[Extent, int]:
    """Where the directory lies, and how many entries it has."""
    end = Extent("end of the zip archive", source.size - _END.size, _END.size)
    signature, disk, first_disk, here, count, length, start, comment = _END.unpack(
        source.read(end).tobytes()
    )
    if signature != b"PK\x05\x06" or comment:
        raise DamagedCheckpointError(
            f"zip archive ends in {signature!r}, want an end record without comment"
        )
    if _ZIP64_COUNT in (here, count) or _ZIP64_BYTES in (length, start):
        raise RefusedCheckpointError("zip archive has 65535 entries or 4 GiB, want fewer")
    directory = Extent("directory of the zip archive", start, length)
    if disk or first_disk or here != count or directory.end > end.start:
        raise DamagedCheckpointError(
            f"zip archive has {here} of {count} entries here, its directory at bytes "
            f"{directory.start} to {directory.end}, want all, before byte {end.start}"
        )
    return directory, count


def _entries(source: ByteSource, directory: Extent, count: int) -> Iterator[_Entry]:
    content = source.read(directory).tobytes()
    at = 0
    for _ in range(count):
        fields = content[at : at + _ENTRY.size]
        if len(fields) < _ENTRY.size or not fields.startswith(b"PK\x01\x02"):
            raise DamagedCheckpointError(f"zip directory has no entry at its byte {at}")
        _, _, _, flags, method, _, _, crc32, packed, length, *tails, _, _, _, header = (
            _ENTRY.unpack(fields)
        )
        at += _ENTRY.size
        # PyTorch writes 0 for all where the option to compute no CRC-32 is set.
        entry = _Entry(content[at : at + tails[0]], header, length, crc32 or None)
        at += sum(tails)
        _check_stored(entry, flags, method, packed)
        yield entry
    if at != len(content):
        raise DamagedCheckpointError(
            f"zip directory has {len(content)} bytes, its {count} entries have {at}"
        )


def _check_stored(entry: _Entry, flags: int, method: int, packed: int) -> None:
    what = _what(entry)
    if flags & _ENCRYPTED:
        raise RefusedCheckpointError(f"{what} is encrypted, want it plain")
    if method != _STORED:
        raise RefusedCheckpointError(f"{what} is compressed by method {method}, want it stored")
    if packed != entry.length:
        raise DamagedCheckpointError(
            f"{what} has {packed} bytes for {entry.length}, want as many, as it is stored"
        )
    if _ZIP64_BYTES in (entry.length, entry.header):
        raise RefusedCheckpointError(f"{what} has or is beyond 4 GiB, want less")


def _name(entry: _Entry) -> str:
    try:
        name = entry.name.decode()
    except UnicodeDecodeError:
        raise DamagedCheckpointError(f"{_what(entry)}: the name is not UTF-8") from None
    # Nothing is unpacked to a disk, but an archive that would leave its folder is not PyTorch's.
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise RefusedCheckpointError(f"{_what(entry)}: want a name inside of the archive")
    return name


def _content(source: ByteSource, entry: _Entry) -> Extent:
    """What follows an entry's own header."""
    what = _what(entry)
    fields = source.read(Extent(f"header of {what}", entry.header, _LOCAL.size)).tobytes()
    signature, _, _, method, *_, name_length, extra_length = _LOCAL.unpack(fields)
    name_start = entry.header + _LOCAL.size
    name = source.read(Extent(f"name of {what}", name_start, name_length)).tobytes()
    if signature != b"PK\x03\x04" or name != entry.name or method != _STORED:
        raise DamagedCheckpointError(
            f"{what} begins with {signature!r}, name {name[:80]!a} and method {method}, "
            "want what the directory says"
        )
    start = name_start + name_length + extra_length
    return Extent(what, start, entry.length, entry.crc32)


def _what(entry: _Entry) -> str:
    return f"zip entry {ascii(entry.name[:80])[1:]}"
