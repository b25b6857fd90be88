"""The contents of a checkpoint of either format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contents:
    """`root` is the unpickled value; `read_storage` returns the bytes of the storage of a key."""

    root: object
    read_storage: Callable[[str], bytes]
