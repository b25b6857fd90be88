"""What is drawn, and in which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
ColorBy = Literal["limb", "person"]

# Most keypoints below it are inferred by refine from faint heat and clutter an image.
_MIN_KEYPOINT_SCORE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How poses are drawn.

    `color_by`: one colour for each side of the body, or for each person. `text`: whether to write
    the score of each pose and the caption. Keypoints below `min_keypoint_score` are not drawn; None
    stands for 0.1.
    """

    color_by: ColorBy = "limb"
    text: bool = True
    min_keypoint_score: float | None = None

    @property
    def threshold(self) -> float:
        """The lowest score of a keypoint that is drawn."""
        chosen = self.min_keypoint_score
        return _MIN_KEYPOINT_SCORE if chosen is None else chosen


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Sizes (N,) in pixels: width of lines and outlines, radius of keypoints, height of digits.

    They grow with the image, and with the person's share of it, though more slowly than that: small
    people need lines that are thick for them.
    """

    line: Floats
    outline: Floats
    point: Floats
    digits: Floats

    @classmethod
    def for_people(cls, extents: Floats, image_side: int) -> Sizes:
        """`extents` (N,): the longer side of each person's box."""
        shares = image_side * (extents / image_side) ** 0.75
        line = np.clip(0.0116 * shares, 1.0, 0.01 * image_side + 1.0)
        shortest = min_digits(image_side)
        return cls(
            line=line,
            outline=np.clip(0.2 * line, 0.5, 0.003 * image_side + 0.5),
            point=0.3 + 1.25 * line,
            digits=np.clip(0.04 * shares, shortest, 2 * shortest),
        )


def min_digits(image_side: int) -> float:
    """Return the height of digits that are still readable when the image is shown."""
    return max(6.0, image_side / 100)
