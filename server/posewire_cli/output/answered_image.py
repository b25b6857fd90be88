"""Images and frames with their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posewire_client import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredImage:
    """An image or a frame, and its outcome.

    `name` is for messages, `labels` identify the image in JSON and `image_id` in COCO results;
    `file_stem` starts the names of its output files. `pixels` returns BGR (h, w, 3) on demand.
    """

    name: str
    labels: Mapping[str, str | int]
    image_id: int
    file_stem: str
    pixels: Callable[[], NDArray[np.uint8]]
    outcome: Outcome


class Writer(Protocol):
    """Writes images in order. `close` finishes the output, also after an interruption."""

    def write(self, image: AnsweredImage) -> None: ...

    def close(self) -> None: ...
