"""Checkpoints as PyTorch writes them since version 1.6: a zip archive of stored entries."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.pickled import describe
from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.unpickler import MAX_PICKLE_BYTES, unpickle
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

_PICKLE = "/data.pkl"
# HigherHRNet-W32's directory has 0.2 MB.
_MAX_READ_BYTES = 2**21
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)

_Entries = Mapping[str, zipfile.ZipInfo]


def read_zip(file: io.BufferedReader) -> Contents:
    """Read `<name>/data.pkl`, and find the storages `<name>/data/<key>`."""
    try:
        archive = zipfile.ZipFile(_BoundedReads(file))
    except _ERRORS as error:
        raise DamagedCheckpointError(f"zip archive cannot be read: {error!s:.200}") from error
    entries = _check_entries(archive)
    name = _archive_name(entries)
    _check_byte_order(archive, entries.get(f"{name}/byteorder"))
    root, storages = _unpickle(archive, entries[f"{name}{_PICKLE}"])
    for key, storage in storages.items():
        _check_storage(storage, entries.get(f"{name}/data/{key}"))
    return Contents(root, lambda key: _read(archive, entries[f"{name}/data/{key}"]))


class _BoundedReads:
    """Bounds the directory, which zipfile reads whole and turns into an object for each entry."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1, /) -> bytes:
        if size > _MAX_READ_BYTES:
            raise RefusedCheckpointError(
                f"zip directory has {size} bytes, want at most {_MAX_READ_BYTES}"
            )
        return self._file.read(size)


def _check_entries(archive: zipfile.ZipFile) -> _Entries:
    """Return the entries by name, none of which is compressed or overlaps another."""
    entries: dict[str, zipfile.ZipInfo] = {}
    end = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        _check_entry(entry)
        if entry.filename in entries:
            raise DamagedCheckpointError(f"zip archive has {describe(entry.filename)} twice")
        start, end = end, entry.header_offset + _LOCAL_HEADER_BYTES + entry.file_size
        if entry.header_offset < start or end > archive.start_dir:
            raise DamagedCheckpointError(f"{_what(entry)} overlaps the entry before or after it")
        entries[entry.filename] = entry
    return entries


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    # Nothing is unpacked to disk, but PyTorch writes no such names.
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise RefusedCheckpointError(f"{_what(entry)}: want a name inside the archive")
    if entry.flag_bits & _ENCRYPTED:
        raise RefusedCheckpointError(f"{_what(entry)} is encrypted, want it plain")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise RefusedCheckpointError(
            f"{_what(entry)} is compressed by method {entry.compress_type} from {entry.file_size} "
            f"to {entry.compress_size} bytes, want it stored"
        )


def _archive_name(entries: _Entries) -> str:
    names = [name.removesuffix(_PICKLE) for name in entries if name.endswith(_PICKLE)]
    if len(names) != 1 or "/" in names[0]:
        raise DamagedCheckpointError(
            f"zip archive has {len(names)} entries *{_PICKLE}, want one, in the outermost folder"
        )
    return names[0]


def _check_byte_order(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None) -> None:
    if entry is None:  # as before version 2.0
        return
    order = _read(archive, entry) if entry.file_size < 16 else b"..."
    if order != b"little":
        raise RefusedCheckpointError(f"byte order is {order!r}, want b'little'")


def _unpickle(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo
) -> tuple[object, Mapping[str, Storage]]:
    if entry.file_size > MAX_PICKLE_BYTES:
        raise RefusedCheckpointError(
            f"{_what(entry)} has {entry.file_size} bytes, want at most {MAX_PICKLE_BYTES}"
        )
    stream = io.BytesIO(_read(archive, entry))
    root, storages = unpickle(stream)
    if stream.tell() != entry.file_size:
        raise DamagedCheckpointError(
            f"pickle ends at byte {stream.tell()}, {_what(entry)} has {entry.file_size}"
        )
    return root, storages


def _check_storage(storage: Storage, entry: zipfile.ZipInfo | None) -> None:
    if entry is None:
        raise DamagedCheckpointError(f"zip archive has no storage {describe(storage.key)}")
    if entry.file_size != storage.byte_count:
        raise DamagedCheckpointError(
            f"{_what(entry)} has {entry.file_size} bytes, its tensor wants {storage.byte_count}"
        )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.CRC == 0:  # as where PyTorch is set to compute none
        entry.CRC = None  # type: ignore[assignment]
    try:
        with archive.open(entry) as content:
            return b"".join(iter(lambda: content.read(_MAX_READ_BYTES), b""))
    except _ERRORS as error:
        # A message of zipfile has the whole name of an entry's header, up to 64 kB.
        reason = str(error)[:200] or "it ends early"
        raise DamagedCheckpointError(f"{_what(entry)} cannot be read: {reason}") from error


def _what(entry: zipfile.ZipInfo) -> str:
    return f"zip entry {describe(entry.orig_filename)}"
