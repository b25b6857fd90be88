"""Checkpoints as PyTorch writes them since version 1.6: a zip archive."""

from __future__ import annotations

from collections.abc import Mapping

from posewire_server.models.checkpoint.byte_source import ByteSource, Extent
from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.pickle_stream import MAX_PICKLE_BYTES, PickleStream
from posewire_server.models.checkpoint.pickled import described
from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.unpickler import Unpickler
from posewire_server.models.checkpoint.zip_directory import read_zip_directory
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

_PICKLE = "/data.pkl"


def read_zip_contents(source: ByteSource) -> Contents:
    """Reads `<name>/data.pkl`, and the places of the storages `<name>/data/<key>`."""
    entries = read_zip_directory(source)
    name = _archive_name(entries)
    _check_byte_order(source, entries.get(f"{name}/byteorder"))
    root, storages = _unpickled(source, entries[f"{name}{_PICKLE}"])
    extents = {
        key: _extent(storage, entries.get(f"{name}/data/{key}"))
        for key, storage in storages.items()
    }
    return Contents(root, extents)


def _archive_name(entries: Mapping[str, Extent]) -> str:
    names = [name.removesuffix(_PICKLE) for name in entries if name.endswith(_PICKLE)]
    if len(names) != 1 or "/" in names[0]:
        raise DamagedCheckpointError(
            f"zip archive has {len(names)} entries *{_PICKLE}, want one, in the outermost folder"
        )
    return names[0]


def _check_byte_order(source: ByteSource, entry: Extent | None) -> None:
    """Before version 2.0 there was no such entry."""
    if entry is None:
        return
    order = source.read(entry).tobytes() if entry.length < 16 else b"..."
    if order != b"little":
        raise RefusedCheckpointError(f"byte order is {order!r}, want b'little'")


def _unpickled(source: ByteSource, entry: Extent) -> tuple[object, Mapping[str, Storage]]:
    if entry.length > MAX_PICKLE_BYTES:
        raise RefusedCheckpointError(
            f"{entry.what} has {entry.length} bytes, want at most {MAX_PICKLE_BYTES}"
        )
    stream = PickleStream(source.read(entry).tobytes())
    unpickler = Unpickler(stream)
    root = unpickler.load()
    if stream.position != entry.length:
        raise DamagedCheckpointError(
            f"pickle ends at byte {stream.position}, {entry.what} has {entry.length}"
        )
    return root, unpickler.storages


def _extent(storage: Storage, entry: Extent | None) -> Extent:
    if entry is None:
        raise DamagedCheckpointError(f"zip archive has no storage {described(storage.key)}")
    if entry.length != storage.byte_count:
        raise DamagedCheckpointError(
            f"{entry.what} has {entry.length} bytes, its tensor wants {storage.byte_count}"
        )
    return entry
