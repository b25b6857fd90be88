"""A file of known size, of which no more is read than it has."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from io import BufferedReader

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.errors import DamagedCheckpointError


@dataclass(frozen=True, slots=True)
class Extent:
    """Where `what` lies in a file: `start` and `length` in bytes; `crc32` if the file tells it."""

    what: str
    start: int
    length: int
    crc32: int | None = None

    @property
    def end(self) -> int:
        return self.start + self.length


class ByteSource:
    """Reads extents of an open file."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read_head(self, length: int) -> bytes:
        """The first bytes, fewer than `length` where the file ends before."""
        return self.read(Extent("head", 0, min(length, self.size))).tobytes()

    def check(self, extent: Extent) -> None:
        """Raises `DamagedCheckpointError` for an extent that goes beyond the file."""
        if extent.start < 0 or extent.end > self.size:
            raise DamagedCheckpointError(
                f"{extent.what}: want bytes {extent.start} to {extent.end}, "
                f"the file has {self.size}"
            )

    def read(self, extent: Extent) -> NDArray[np.uint8]:
        """The bytes of one extent; `DamagedCheckpointError` unless all are there and intact."""
        self.check(extent)
        content = np.empty(extent.length, np.uint8)
        self._file.seek(extent.start)
        got = self._file.readinto(content.data) if extent.length else 0
        if got != extent.length:
            raise DamagedCheckpointError(
                f"{extent.what}: got {got} of {extent.length} bytes, the file changed meanwhile"
            )
        if extent.crc32 is not None:
            _check_crc32(content, extent.crc32, extent.what)
        return content


def _check_crc32(content: NDArray[np.uint8], wanted: int, what: str) -> None:
    found = zlib.crc32(content.data)
    if found != wanted:
        raise DamagedCheckpointError(f"{what}: got CRC-32 {found:08x}, want {wanted:08x}")
