"""Orientations of images: how a viewer turns the pixels that a file stores."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.region import PixelBox


@dataclass(frozen=True, slots=True)
class Orientation:
    """Rows and columns are swapped, or not, and then mirrored along x and y, or not."""

    swaps_sides: bool = False
    mirrors_x: bool = False
    mirrors_y: bool = False

    def swap(self, size: Size) -> Size:
        """Return the oriented size of a stored one, and the stored size of an oriented one."""
        return Size(size.height, size.width) if self.swaps_sides else size

    def stored_box(self, box: PixelBox, image: Size) -> PixelBox:
        """Return where the pixels of a box are stored; `box` and `image` are oriented."""
        left, top = box.left, box.top
        if self.mirrors_x:
            left = image.width - left - box.width
        if self.mirrors_y:
            top = image.height - top - box.height
        if self.swaps_sides:
            left, top = top, left
        return PixelBox(left, top, *self.swap(box.size))

    def apply(
        self, pixels: NDArray[np.uint8], into: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Turn an image (height, width, channels), into another array or a new one."""
        oriented = into
        if oriented is None:
            oriented = np.empty((*self.swap(Size(*pixels.shape[:2])), pixels.shape[2]), np.uint8)
        if self.swaps_sides:
            pixels = cv2.transpose(pixels, dst=None if self._mirrors else oriented).astype(
                np.uint8, copy=False
            )
        if self._mirrors:
            cv2.flip(pixels, self._flip_code, dst=oriented)
        elif not self.swaps_sides:
            np.copyto(oriented, pixels)
        return oriented

    @property
    def _mirrors(self) -> bool:
        return self.mirrors_x or self.mirrors_y

    @property
    def _flip_code(self) -> int:
        """Return what OpenCV calls the axes: -1 for both, 1 for x, 0 for y."""
        if self.mirrors_x and self.mirrors_y:
            return -1
        return 1 if self.mirrors_x else 0


UPRIGHT = Orientation()
