"""From a frame to the network's input and back: resize, pad, and where points go.

Three spaces. `frame`: pixels of the image as sent; `input`: pixels of the network's input; the
centre of the top-left pixel is (0, 0) in both. `heatmap`: cells of the network's output plus the
model's delta, as the decoder answers: a point in the input lies at its (x, y) over the stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.frame import Frame

# Where the short side is fixed a frame of 10000x1 pixels would ask for gigabytes. What is more
# elongated than this gets less than the published recipes give it.
_MAX_ASPECT = 8


@dataclass(frozen=True, slots=True)
class Letterbox:
    """One frame size's way into the network: resized, then padded to `input`.

    `left` and `top` are the pixels of padding before the resized frame. If it is only a part of a
    larger one, `corner` is where its first pixel lies in that, and points refer to the larger one.
    `reduction`: along each side that many pixels of the frame come as one pixel, rounded up.
    """

    frame: Size
    resized: Size
    left: int
    top: int
    input: Size
    shrinking: Literal["area", "linear"] = "area"
    corner: tuple[int, int] = (0, 0)
    reduction: int = 1

    @classmethod
    def fitting(
        cls,
        frame: Size,
        geometry: InputGeometry,
        *,
        corner: tuple[int, int] = (0, 0),
        reduction: int = 1,
    ) -> Letterbox:
        """Resizes truncate the free side, as Open Model Zoo's accuracy checker does."""
        if min(frame) < 1:
            raise ValueError(f"frame: got {frame.width}x{frame.height}, want at least 1x1 pixels")
        resized = _resized(frame, geometry)
        padded = Size(*(_multiple_above(side, geometry.multiple) for side in resized))
        left, top = (
            (total - side + 1) // 2 if geometry.padding == "center" else 0
            for total, side in zip(padded, resized, strict=True)
        )
        return cls(frame, resized, left, top, padded, geometry.shrinking, corner, reduction)

    @classmethod
    def for_frame(cls, frame: Frame, geometry: InputGeometry) -> Letterbox:
        """Fit a frame's pixels; points refer to the whole image of which they may be a part."""
        part = frame.part
        return cls.fitting(
            part.size, geometry, corner=(part.left, part.top), reduction=frame.reduction
        )

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The network's input (height, width, 3) for a BGR frame of this letterbox's size."""
        wanted = (self._pixels.height, self._pixels.width, 3)
        if image.shape != wanted or image.dtype != np.uint8:
            raise ValueError(f"image: got {image.dtype} {image.shape}, want uint8 {wanted}")
        import cv2  # here, because the catalog of models needs only the geometry

        boxed = np.zeros((self.input.height, self.input.width, 3), np.uint8)
        rows = slice(self.top, self.top + self.resized.height)
        columns = slice(self.left, self.left + self.resized.width)
        halved: NDArray[Any] = image
        for _ in range(self._halvings):
            height, width = (side // 2 for side in halved.shape[:2])
            even = halved[: 2 * height, : 2 * width]
            # Ten times as fast as the area of any other number of pixels.
            halved = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        cv2.resize(halved, self.resized, dst=boxed[rows, columns])
        return boxed

    def input_from_frame(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (..., 2) as x, y."""
        scale, shift = self._scale_and_shift()
        return np.asarray(points * scale + shift)

    def frame_from_input(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (..., 2) as x, y."""
        scale, shift = self._scale_and_shift()
        return np.asarray((points - shift) / scale)

    def frame_from_heatmap(self, points: NDArray[Any], heatmap: Size) -> NDArray[np.float64]:
        """Points (..., 2) as x, y; `heatmap` is the size of the network's output."""
        scale, shift = self._scale_and_shift()
        stride = np.divide(self.input, heatmap)
        return np.asarray(points * (stride / scale) - shift / scale)

    def _scale_and_shift(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """From frame to input, along x and y, whose scales truncation leaves slightly unequal.

        What is resized are whole reduced pixels, of which the last may reach beyond the frame, but
        for those at the end that halving leaves over: less than one of the input.
        """
        halvings = self._halvings
        pixels = [side >> halvings << halvings for side in self._pixels]
        scale = np.divide(self.resized, np.multiply(pixels, self.reduction))
        shift = (0.5 - np.array(self.corner)) * scale + (self.left - 0.5, self.top - 0.5)
        return scale, shift

    @property
    def _pixels(self) -> Size:
        """The size of the image that comes for the frame."""
        return Size(*(-(-side // self.reduction) for side in self.frame))

    @property
    def _halvings(self) -> int:
        if self.shrinking == "linear":
            return 0
        shares = [has // want for has, want in zip(self._pixels, self.resized, strict=True)]
        return max(1, min(shares)).bit_length() - 1


def _resized(frame: Size, geometry: InputGeometry) -> Size:
    short, long = sorted(frame)
    if geometry.fit == "inside":
        named, wanted = long, geometry.size
    elif long <= _MAX_ASPECT * short:
        named, wanted = short, geometry.size
    else:
        named, wanted = long, _MAX_ASPECT * geometry.size
    return Size(*(max(1, wanted * side // named) for side in frame))


def _multiple_above(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
