"""Sizes of images and maps, and how a frame fits a model's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Size(NamedTuple):
    """Width and height, in pixels or cells."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class InputGeometry:
    """How a frame is resized and padded to a model's input.

    `size`: pixels of the side that `fit` names. `fit`: the frame's short side (the long one
    follows, up to 8 times as long) or, with "inside", its long side. `padding`: zeros on all sides
    ("center") or on the right and below, until both sides are multiples of `multiple`. `shrinking`:
    "area" averages pixels: it halves a frame while that is at least twice as large as the input,
    then resizes it linearly. "linear", as in the published recipes, skips some pixels.
    """

    size: int
    fit: Literal["short_side", "inside"]
    padding: Literal["center", "right_bottom"]
    multiple: int = 32
    shrinking: Literal["area", "linear"] = "area"

    def __post_init__(self) -> None:
        if min(self.size, self.multiple) < 1:
            raise ValueError(f"size {self.size}, multiple {self.multiple}: want at least 1")
