"""Sizes of images and maps, and the shape of a model's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Size(NamedTuple):
    """Width and height, in pixels or cells."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class InputGeometry:
    """How a model wants its input made.

    `size`: pixels of the side that `fit` names. `fit`: whether that is the frame's short side (the
    long one follows, up to 8 times as long) or its long side ("inside"). `padding`: whether zeros
    fill up on all sides ("center") or right and below, until both sides are multiples of
    `multiple`. `shrinking`: frames at least twice as large as the input are halved before they are
    resized linearly, as often as they are, which averages an "area" of pixels where "linear", the
    published recipes' way, skips some.
    """

    size: int
    fit: Literal["short_side", "inside"]
    padding: Literal["center", "right_bottom"]
    multiple: int = 32
    shrinking: Literal["area", "linear"] = "area"

    def __post_init__(self) -> None:
        if min(self.size, self.multiple) < 1:
            raise ValueError(f"size {self.size}, multiple {self.multiple}: want at least 1")
