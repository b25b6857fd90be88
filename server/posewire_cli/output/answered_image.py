"""An image or a frame together with what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posewire_client import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredImage:
    """`pixels` (h, w, 3), channels B, G, R, are made only for who wants them.

    `name` is for people. `labels` tell the image in JSON, `image_id` in COCO's format, and
    `file_stem` begins the names of files about it.
    """

    name: str
    labels: Mapping[str, str | int]
    image_id: int
    file_stem: str
    pixels: Callable[[], NDArray[np.uint8]]
    outcome: Outcome


class Writer(Protocol):
    """Takes answers in order; `close` finishes what it writes, after an interruption too."""

    def write(self, image: AnsweredImage) -> None: ...

    def close(self) -> None: ...
