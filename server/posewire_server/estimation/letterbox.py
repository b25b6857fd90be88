"""Letterbox: frames to the network's input, and points back to the frame.

Three spaces. `frame`: pixels of the image, after its orientation if that is applied; `input`:
pixels of the network's input; the centre of the top-left pixel is (0, 0) in both. `heatmap`: cells
of the network's output plus the model's delta, as the decoder returns them: (x, y) in the input,
divided by the stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_decoder import FrameFromHeatmap
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.frame import Frame
from posewire_server.image.orientation import UPRIGHT, Orientation

# With the short side fixed, a frame of 10000x1 pixels would need gigabytes. So a frame of a greater
# aspect ratio gets a smaller input than in the published recipes.
_MAX_ASPECT = 8


@dataclass(frozen=True)
class Letterbox:
    """How frames of one size are resized, then padded to `input`.

    `left` and `top`: pixels of padding before the resized frame. `corner`: the position of the
    frame's first pixel in the whole image, to which points refer. `reduction`:
    pixels of the frame, along each side, that one pixel of the decoded image covers. `orientation`:
    how the decoded pixels are turned; all other sizes and positions are those after it.
    """

    frame: Size
    resized: Size
    left: int
    top: int
    input: Size
    shrinking: Literal["area", "linear"] = "area"
    corner: tuple[int, int] = (0, 0)
    reduction: int = 1
    orientation: Orientation = UPRIGHT

    @classmethod
    def fitting(
        cls,
        frame: Size,
        geometry: InputGeometry,
        *,
        corner: tuple[int, int] = (0, 0),
        reduction: int = 1,
        orientation: Orientation = UPRIGHT,
    ) -> Letterbox:
        """Fit a frame; the free side is truncated, as in Open Model Zoo's accuracy checker."""
        return _fitting(frame, geometry, corner, reduction, orientation)

    @classmethod
    def for_frame(cls, frame: Frame, geometry: InputGeometry) -> Letterbox:
        """Fit the pixels of a frame; points refer to the whole image."""
        part = frame.part
        return cls.fitting(
            part.size,
            geometry,
            corner=(part.left, part.top),
            reduction=frame.reduction,
            orientation=frame.orientation,
        )

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Make the network's input (height, width, 3) from a BGR frame of this letterbox's size.

        A frame that fits already is returned itself. An orientation is applied to the resized
        pixels, which are the fewest.
        """
        stored = self.orientation.swap(self._pixels)
        wanted = (stored.height, stored.width, 3)
        if image.shape != wanted or image.dtype != np.uint8:
            raise ValueError(f"image: got {image.dtype} {image.shape}, want uint8 {wanted}")
        if self._pixels == self.input == self.resized and self.orientation == UPRIGHT:
            return np.ascontiguousarray(image)
        boxed = np.zeros((self.input.height, self.input.width, 3), np.uint8)
        rows = slice(self.top, self.top + self.resized.height)
        columns = slice(self.left, self.left + self.resized.width)
        halved: NDArray[Any] = image
        for _ in range(self._halvings):
            height, width = (side // 2 for side in halved.shape[:2])
            even = halved[: 2 * height, : 2 * width]
            # Ten times as fast as averaging any other number of pixels.
            halved = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        if self.orientation == UPRIGHT:
            cv2.resize(halved, self.resized, dst=boxed[rows, columns])
        else:
            resized = cv2.resize(halved, self.orientation.swap(self.resized))
            self.orientation.apply(resized.astype(np.uint8, copy=False), boxed[rows, columns])
        return boxed

    def input_from_frame(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Map points (..., 2), as x, y."""
        scale, shift = self._scale_and_shift()
        return np.asarray(points * scale + shift)

    def frame_from_input(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Map points (..., 2), as x, y."""
        scale, shift = self._scale_and_shift()
        return np.asarray((points - shift) / scale)

    @lru_cache(maxsize=256)  # noqa: B019 - holds letterboxes, which are small
    def frame_from_heatmap(self, heatmap: Size) -> FrameFromHeatmap:
        """Return the map of points; `heatmap` is the size of the network's output."""
        scale, shift = self._scale_and_shift()
        scales = np.divide(self.input, heatmap) / scale
        return FrameFromHeatmap(*scales.tolist(), *(shift / scale).tolist())

    def _scale_and_shift(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the map from frame to input, along x and y; truncation makes their scales differ.

        The resize covers whole reduced pixels, of which the last may extend beyond the frame.
        Halving omits some at the end: less than one pixel of the input. Where the frame is
        mirrored, its end is at the left or at the top.
        """
        halvings = self._halvings
        pixels = [side >> halvings << halvings for side in self._pixels]
        scale = np.divide(self.resized, np.multiply(pixels, self.reduction))
        shift = (0.5 - np.array(self.corner)) * scale + (self.left - 0.5, self.top - 0.5)
        mirrors = (self.orientation.mirrors_x, self.orientation.mirrors_y)
        return scale, shift + np.where(mirrors, self.resized - scale * self.frame, 0)

    @cached_property
    def _pixels(self) -> Size:
        """The size of the decoded image after its orientation."""
        return Size(*(-(-side // self.reduction) for side in self.frame))

    @cached_property
    def _halvings(self) -> int:
        if self.shrinking == "linear":
            return 0
        shares = [has // want for has, want in zip(self._pixels, self.resized, strict=True)]
        return max(1, min(shares)).bit_length() - 1


# Most frames have the letterbox of the previous frame. Computing it, and its map from the heatmap,
# takes a fifth of the time of decoding.
@lru_cache(maxsize=256)
def _fitting(
    frame: Size,
    geometry: InputGeometry,
    corner: tuple[int, int],
    reduction: int,
    orientation: Orientation,
) -> Letterbox:
    if min(frame) < 1:
        raise ValueError(f"frame: got {frame.width}x{frame.height}, want at least 1x1 pixels")
    resized = _resized(frame, geometry)
    padded = Size(*(_multiple_above(side, geometry.multiple) for side in resized))
    left, top = (
        (total - side + 1) // 2 if geometry.padding == "center" else 0
        for total, side in zip(padded, resized, strict=True)
    )
    return Letterbox(
        frame, resized, left, top, padded, geometry.shrinking, corner, reduction, orientation
    )


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
