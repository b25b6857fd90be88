"""PyTorch checkpoints, read without PyTorch."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from posewire_server.models.checkpoint.contents import Contents
from posewire_server.models.checkpoint.legacy_checkpoint import read_legacy
from posewire_server.models.checkpoint.state_dict import tensors_by_name
from posewire_server.models.checkpoint.tensor import Tensor
from posewire_server.models.checkpoint.zip_checkpoint import read_zip
from posewire_server.models.errors import (
    CheckpointError,
    DamagedCheckpointError,
    RefusedCheckpointError,
)

# Tied weights are two tensors on one storage. Strides of 0, or many tensors on one storage, could
# describe terabytes in a few bytes.
_MAX_TENSOR_BYTES_PER_FILE_BYTE = 2


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dict by name, in file order; nothing in the file is executed.

    Reads what `torch.save` writes since version 1.6 (a zip archive) and wrote before (pickles
    followed by raw storages). The state dict is the value under "state_dict", else under "model",
    else the whole; values that are not tensors are left out. A prefix "module." of all names
    (from data-parallel training) is dropped, then a prefix "1.".

    The arrays are read-only and C-contiguous, and tensors that share a storage share memory.
    bfloat16 becomes float32, which holds it exactly; every other type stays.

    Memory is bounded by a multiple of the file's size. Raises `CheckpointError` for a file that is
    not such a checkpoint, and `OSError` for one that cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            return _read_arrays(file)
        except CheckpointError as error:
            raise type(error)(f"{os.fspath(path)}: {error}") from error


def _read_arrays(file: io.BufferedReader) -> dict[str, NDArray[Any]]:
    contents = _read_contents(file)
    tensors = tensors_by_name(contents.root)
    _check_size(tensors, os.fstat(file.fileno()).st_size)
    storages: dict[str, bytes] = {}
    arrays = {}
    for name, tensor in tensors.items():
        key = tensor.storage.key
        if key not in storages:
            storages[key] = contents.read_storage(key)
        arrays[name] = tensor.array(storages[key])
    return arrays


def _read_contents(file: io.BufferedReader) -> Contents:
    head = file.read(4)
    if head == b"PK\x03\x04":
        return read_zip(file)
    if head.startswith(b"\x80"):
        return read_legacy(file)
    raise DamagedCheckpointError(
        f"begins with {head!r}, want a PyTorch checkpoint: a zip archive or a pickle"
    )


def _check_size(tensors: dict[str, Tensor], file_bytes: int) -> None:
    limit = _MAX_TENSOR_BYTES_PER_FILE_BYTE * file_bytes
    described = sum(tensor.stored_bytes for tensor in tensors.values())
    if described > limit:
        raise RefusedCheckpointError(
            f"{len(tensors)} tensors of {described} bytes in a file of {file_bytes}, "
            f"want at most {limit}"
        )
