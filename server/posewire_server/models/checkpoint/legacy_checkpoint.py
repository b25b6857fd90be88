"""Checkpoints as PyTorch wrote them before version 1.6: five pickles, then the storages."""

from __future__ import annotations

from collections.abc import Mapping

from posewire_server.models.checkpoint.byte_source import ByteSource, Extent
from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.pickle_stream import MAX_PICKLE_BYTES, PickleStream
from posewire_server.models.checkpoint.pickled import PickledDict, described
from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.unpickler import Unpickler
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_COUNT_BYTES = 8


def read_legacy_contents(source: ByteSource) -> Contents:
    """Reads the pickles, and the places of the storages that follow them."""
    stream = PickleStream(source.read_head(MAX_PICKLE_BYTES))
    _check_preamble(stream)
    unpickler = Unpickler(stream)
    root = unpickler.load()
    keys = Unpickler(stream).load()
    return Contents(root, _extents(source, stream.position, _listed(keys, unpickler.storages)))


def _check_preamble(stream: PickleStream) -> None:
    for what, wanted in (("magic number", _MAGIC_NUMBER), ("protocol version", _PROTOCOL_VERSION)):
        found = Unpickler(stream).load()
        if found != wanted:
            raise DamagedCheckpointError(f"{what} is {described(found)}, want {wanted}")
    _check_byte_order(Unpickler(stream).load())


def _check_byte_order(system: object) -> None:
    if not isinstance(system, PickledDict):
        raise DamagedCheckpointError(f"system is {described(system)}, want a dict")
    little_endian = system.by_name().get("little_endian")
    if little_endian is not True:
        raise RefusedCheckpointError(f"little_endian is {described(little_endian)}, want True")


def _listed(keys: object, storages: Mapping[str, Storage]) -> list[Storage]:
    """The storages in the order of the list of keys, which has to have each once."""
    if not isinstance(keys, list):
        raise DamagedCheckpointError(f"storage keys are {described(keys)}, want a list")
    unlisted = dict(storages)
    listed = []
    for key in keys:
        storage = unlisted.pop(key, None) if isinstance(key, str) else None
        if storage is None:
            raise DamagedCheckpointError(
                f"storage key {described(key)} is listed twice or is no tensor's"
            )
        listed.append(storage)
    if unlisted:
        raise DamagedCheckpointError(
            f"{len(unlisted)} storages are not listed, {described(next(iter(unlisted)))} is one"
        )
    return listed


def _extents(source: ByteSource, start: int, storages: list[Storage]) -> dict[str, Extent]:
    extents = {}
    for storage in storages:
        what = f"storage {described(storage.key)}"
        count = source.read(Extent(f"count of {what}", start, _COUNT_BYTES))
        found = int.from_bytes(count.tobytes(), "little", signed=True)
        if found != storage.count:
            raise DamagedCheckpointError(
                f"{what} has {found} elements, its tensor wants {storage.count}"
            )
        extent = Extent(what, start + _COUNT_BYTES, storage.byte_count)
        source.check(extent)
        extents[storage.key] = extent
        start = extent.end
    if start != source.size:
        raise DamagedCheckpointError(
            f"storages end at byte {start}, the file has {source.size}, want nothing after them"
        )
    return extents
