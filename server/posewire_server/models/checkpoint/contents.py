"""What either format of a checkpoint comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from posewire_server.models.checkpoint.byte_source import Extent


@dataclass(frozen=True, slots=True)
class Contents:
    """The unpickled `root`, and where the bytes of each storage lie, by storage key."""

    root: object
    extents: Mapping[str, Extent]
