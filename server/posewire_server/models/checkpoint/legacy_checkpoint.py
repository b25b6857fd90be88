"""Checkpoints as PyTorch wrote them before version 1.6: five pickles, then the storages."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping

from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.pickled import PickledDict, describe
from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.unpickler import MAX_PICKLE_BYTES, unpickle
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_COUNT_BYTES = 8


def read_legacy(file: io.BufferedReader) -> Contents:
    """Read the pickles, and find the storages that follow them."""
    size = os.fstat(file.fileno()).st_size
    stream = io.BytesIO(_read(file, 0, min(size, MAX_PICKLE_BYTES)))
    _check_preamble(stream)
    root, storages = unpickle(stream)
    keys, _ = unpickle(stream)
    starts = _find_storages(file, stream.tell(), _in_file_order(storages, keys), size)
    return Contents(root, lambda key: _read(file, starts[key], storages[key].byte_count))


def _check_preamble(stream: io.BytesIO) -> None:
    for what, wanted in (("magic number", _MAGIC_NUMBER), ("protocol version", _PROTOCOL_VERSION)):
        found, _ = unpickle(stream)
        if found != wanted:
            raise DamagedCheckpointError(f"{what} is {describe(found)}, want {wanted}")
    system, _ = unpickle(stream)
    if not isinstance(system, PickledDict):
        raise DamagedCheckpointError(f"system is {describe(system)}, want a dict")
    little_endian = system.by_name().get("little_endian")
    if little_endian is not True:
        raise RefusedCheckpointError(f"little_endian is {describe(little_endian)}, want True")


def _in_file_order(storages: Mapping[str, Storage], keys: object) -> list[Storage]:
    """Return the storages in the order of `keys`, which has to list each once."""
    if not isinstance(keys, list):
        raise DamagedCheckpointError(f"storage keys are {describe(keys)}, want a list")
    unlisted = dict(storages)
    listed = []
    for key in keys:
        storage = unlisted.pop(key, None) if isinstance(key, str) else None
        if storage is None:
            raise DamagedCheckpointError(
                f"storage key {describe(key)} is listed twice or belongs to no tensor"
            )
        listed.append(storage)
    if unlisted:
        raise DamagedCheckpointError(
            f"{len(unlisted)} storages are not listed, {describe(next(iter(unlisted)))} is one"
        )
    return listed


def _find_storages(
    file: io.BufferedReader, position: int, storages: list[Storage], size: int
) -> dict[str, int]:
    """Return where the bytes of each storage start; its element count is before them."""
    starts = {}
    for storage in storages:
        what = f"storage {describe(storage.key)}"
        count = int.from_bytes(_read(file, position, _COUNT_BYTES), "little", signed=True)
        if count != storage.count:
            raise DamagedCheckpointError(
                f"{what} has {count} elements, its tensor wants {storage.count}"
            )
        starts[storage.key] = position + _COUNT_BYTES
        position += _COUNT_BYTES + storage.byte_count
        if position > size:
            raise DamagedCheckpointError(f"{what} ends at byte {position}, the file has {size}")
    if position < size:
        raise DamagedCheckpointError(
            f"storages end at byte {position}, the file has {size}, want nothing after them"
        )
    return starts


def _read(file: io.BufferedReader, start: int, length: int) -> bytes:
    file.seek(start)
    content = file.read(length)
    if len(content) != length:
        raise DamagedCheckpointError(
            f"file has {len(content)} bytes at byte {start}, want {length}"
        )
    return content
