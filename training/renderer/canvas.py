"""The picture being painted and, beside it, the map of what each pixel shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.light import Colour

# OpenCV takes polygon corners as integers with this many bits behind the point.
_FRACTION_BITS = 4
_PARTS_PER_PERSON = 32
OCCLUDER = 0xFFFF


def fixed_point(polygons: NDArray[np.float64]) -> NDArray[np.int32]:
    """Frame coordinates as the fill methods want them."""
    return np.rint(polygons * (1 << _FRACTION_BITS)).astype(np.int32)


def fill(image: NDArray[np.uint8], polygon: NDArray[np.int32], colour: Colour) -> None:
    """Paint a convex polygon with soft edges."""
    cv2.fillConvexPoly(image, polygon, colour, cv2.LINE_AA, _FRACTION_BITS)


def draw_line(image: NDArray[np.uint8], ends: NDArray[np.int32], colour: Colour) -> None:
    """Paint a line one pixel wide between two points (2, 2)."""
    first, last = ends.tolist()
    cv2.line(image, first, last, colour, 1, cv2.LINE_AA, _FRACTION_BITS)


def map_value(person: int, part: int) -> int:
    """What the map holds where a part (from 1 to 31) of a person is seen; nobody is 0."""
    return (person + 1) * _PARTS_PER_PERSON + part


@dataclass(frozen=True, slots=True)
class Canvas:
    """`image` is (height, width, 3) uint8 BGR with soft edges, `truth` (height, width) uint16 with
    hard ones, painted with the same polygons."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint16]

    def fill(self, polygon: NDArray[np.int32], colour: Colour) -> None:
        """Paint a convex polygon."""
        fill(self.image, polygon, colour)

    def fill_concave(self, polygon: NDArray[np.int32], colour: Colour, value: int) -> None:
        """Paint a polygon of any form and write `value` into the map there."""
        cv2.fillPoly(self.image, [polygon], colour, cv2.LINE_AA, _FRACTION_BITS)
        cv2.fillPoly(self.truth, [polygon], value, cv2.LINE_8, _FRACTION_BITS)

    def claim(self, polygon: NDArray[np.int32], value: int) -> None:
        """Write into the map that a convex polygon shows `value`."""
        cv2.fillConvexPoly(self.truth, polygon, value, cv2.LINE_8, _FRACTION_BITS)


def people_of(truth: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The map with person + 1 instead of person and part; occluders have a large number."""
    return truth // _PARTS_PER_PERSON
