"""Tensors and the storages that they are views of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from posewire_server.models.errors import DamagedCheckpointError

# The limit of NumPy 1.
MAX_AXES = 32
# NumPy computes the size of an empty array's other axes too, which may not overflow.
_MAX_EMPTY_PRODUCT = 2**32


# Frozen dataclasses with slots have a `__setstate__`, which a pickle could call: no slots here.
@dataclass(frozen=True)
class StorageType:
    """The type of a storage's elements, little-endian in the file; `name` is PyTorch's."""

    name: str
    dtype: np.dtype[Any]
    array_dtype: np.dtype[Any]

    @classmethod
    def of(cls, name: str, dtype: DTypeLike, array_dtype: DTypeLike | None = None) -> StorageType:
        return cls(name, np.dtype(dtype), np.dtype(array_dtype or dtype))


BFLOAT16 = StorageType.of("torch.BFloat16Storage", "<u2", np.float32)
# A byte other than 0 and 1 is no valid numpy.bool_.
BOOL = StorageType.of("torch.BoolStorage", np.uint8, np.bool_)
STORAGE_TYPES = (
    StorageType.of("torch.DoubleStorage", "<f8"),
    StorageType.of("torch.FloatStorage", "<f4"),
    StorageType.of("torch.HalfStorage", "<f2"),
    BFLOAT16,
    StorageType.of("torch.LongStorage", "<i8"),
    StorageType.of("torch.IntStorage", "<i4"),
    StorageType.of("torch.ShortStorage", "<i2"),
    StorageType.of("torch.CharStorage", np.int8),
    StorageType.of("torch.ByteStorage", np.uint8),
    BOOL,
)


@dataclass(frozen=True)
class Storage:
    """`count` consecutive elements, which the file has under `key`."""

    type: StorageType
    key: str
    count: int

    def __str__(self) -> str:
        return f"storage {self.key!a} of {self.count} elements as in {self.type.name}"

    @property
    def byte_count(self) -> int:
        return self.count * self.type.dtype.itemsize


@dataclass(frozen=True)
class Tensor:
    """A strided view of a storage; offset and strides count elements.

    Raises `DamagedCheckpointError` for a view that reaches outside its storage.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.shape) != len(self.strides):
            raise DamagedCheckpointError(f"{self}: want as many strides as axes")
        if min((self.offset, *self.shape, *self.strides)) < 0:
            raise DamagedCheckpointError(f"{self}: want no negative number")
        if self.count and self._last >= self.storage.count:
            raise DamagedCheckpointError(f"{self}: reaches element {self._last} of its storage")
        if not self.count and math.prod(filter(None, self.shape)) > _MAX_EMPTY_PRODUCT:
            raise DamagedCheckpointError(f"{self}: want shorter axes beside the empty one")

    def __str__(self) -> str:
        return (
            f"tensor of shape {list(self.shape)}, strides {list(self.strides)} and offset "
            f"{self.offset} in a storage of {self.storage.count}"
        )

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def stored_bytes(self) -> int:
        return self.count * self.storage.type.dtype.itemsize

    @property
    def _last(self) -> int:
        """The index of the last element that the view reaches."""
        steps = zip(self.shape, self.strides, strict=True)
        return self.offset + sum((length - 1) * stride for length, stride in steps)

    def array(self, content: bytes) -> NDArray[Any]:
        """Return the values, read-only; `content` has the bytes of the storage."""
        view = self._view(content)
        if self.storage.type is BFLOAT16:
            bits = view.astype(np.uint32, order="C")
            bits <<= 16
            array: NDArray[Any] = bits.view(np.float32)
        else:
            array = view.astype(self.storage.type.array_dtype, order="C", copy=False)
        array.flags.writeable = False
        return array

    def _view(self, content: bytes) -> NDArray[Any]:
        dtype = self.storage.type.dtype
        if not self.count:
            return np.empty(self.shape, dtype)
        # The stride of an axis of length 1 is not used and may be any number.
        steps = zip(self.shape, self.strides, strict=True)
        strides = [stride * dtype.itemsize if length > 1 else 0 for length, stride in steps]
        return np.ndarray(self.shape, dtype, content, self.offset * dtype.itemsize, strides)
