"""PyTorch checkpoints, read without PyTorch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from posewire_server.models.checkpoint.byte_source import ByteSource
from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.legacy_checkpoint import read_legacy_contents
from posewire_server.models.checkpoint.state_dict import tensors_by_name
from posewire_server.models.checkpoint.tensor import Tensor
from posewire_server.models.checkpoint.zip_checkpoint import read_zip_contents
from posewire_server.models.errors import (
    CheckpointError,
    DamagedCheckpointError,
    RefusedCheckpointError,
)

# Tied weights are two tensors in one storage. What goes beyond holding everything twice is no
# network: a tensor of stride 0, or many on one storage, describes terabytes in a few bytes.
_MAX_TENSOR_BYTES_PER_FILE_BYTE = 2


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The tensors of a state dict by name, in file order; nothing in the file is executed.

    Reads what `torch.save` writes since version 1.6 (a zip archive) and wrote before (pickles
    followed by raw storages). The state dict is what the file holds under "state_dict", else under
    "model", else the whole; its values that are not tensors are left out. If all names begin with
    "module." that is taken off (it is left by data-parallel training), then likewise "1.".

    The arrays are read-only and C-contiguous, and tensors that share a storage share memory.
    bfloat16 comes as float32, which holds it exactly; every other type as it is.

    Takes memory in proportion to the file's size. Raises `CheckpointError` for a file that is not
    such a checkpoint, and `OSError` for one that cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            return _arrays(ByteSource(file))
        except CheckpointError as error:
            raise type(error)(f"{os.fspath(path)}: {error}") from error


def _arrays(source: ByteSource) -> dict[str, NDArray[Any]]:
    contents = _contents(source)
    tensors = tensors_by_name(contents.root)
    _check_room(tensors, source.size)
    storages: dict[str, NDArray[Any]] = {}
    arrays = {}
    for name, tensor in tensors.items():
        key = tensor.storage.key
        if key not in storages:
            storages[key] = source.read(contents.extents[key])
        arrays[name] = tensor.array(storages[key])
    return arrays


def _contents(source: ByteSource) -> Contents:
    head = source.read_head(4)
    if head == b"PK\x03\x04":
        return read_zip_contents(source)
    if head.startswith(b"\x80"):
        return read_legacy_contents(source)
    raise DamagedCheckpointError(
        f"begins with {head!r}, want a PyTorch checkpoint: a zip archive or a pickle"
    )


def _check_room(tensors: dict[str, Tensor], file_bytes: int) -> None:
    room = _MAX_TENSOR_BYTES_PER_FILE_BYTE * file_bytes
    described = sum(tensor.stored_bytes for tensor in tensors.values())
    if described > room:
        raise RefusedCheckpointError(
            f"{len(tensors)} tensors of {described} bytes in a file of {file_bytes}, "
            f"want at most {room}"
        )
