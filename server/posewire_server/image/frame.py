"""Frames: images of clients, checked and decoded to pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.geometry import Size
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits
from posewire_server.image.raw import raw_pixels
from posewire_server.image.region import PixelBox, RegionOfInterest


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image, or the part of it to search for people.

    `width` and `height`: of the whole image as sent, to which coordinates refer. `pixels` (h, w,
    3): those of `part`, channels B, G, R, possibly read-only. Each pixel covers `reduction` x
    `reduction` pixels of the image; those of the last row and column may extend beyond it.
    """

    width: int
    height: int
    pixels: NDArray[np.uint8]
    part: PixelBox
    reduction: int = 1

    @classmethod
    def whole(
        cls, pixels: NDArray[np.uint8], size: Size | None = None, reduction: int = 1
    ) -> Frame:
        """Wrap a BGR image (h, w, 3); `size` is needed where it differs from that of `pixels`."""
        width, height = size or Size(pixels.shape[1], pixels.shape[0])
        return cls(width, height, pixels, PixelBox(0, 0, width, height), reduction)


def frame_from_proto(
    image: image_pb2.Image,
    *,
    limits: ImageLimits,
    region: RegionOfInterest | None = None,
    needed: Callable[[Size], Size] | None = None,
) -> Frame:
    """Decode the image of a request. Slow and without the GIL, so call it in a worker thread.

    `needed` maps an image's size to the size that the network can use; a larger JPEG is then
    decoded at reduced size. Images are decoded at full size without `needed`, or with a region,
    which may start and end at any pixel. Raises `InvalidImageError` and `InvalidRegionError`.
    """
    match image.WhichOneof("source"):
        case "encoded":
            data = image.encoded.data  # once: each access copies
            decoded = decode_image(data, limits=limits, needed=needed if region is None else None)
            whole = Frame.whole(decoded.pixels, decoded.size, decoded.reduction)
        case "raw":
            whole = Frame.whole(raw_pixels(image.raw, limits=limits))
        case _:
            raise InvalidImageError(
                "image",
                "IMAGE_INVALID",
                got="no image, or one of a kind newer than this server",
                want="encoded or raw",
            )
    return whole if region is None else _part(whole, region)


def frame_from_pixels(
    pixels: NDArray[np.uint8], *, limits: ImageLimits, region: RegionOfInterest | None = None
) -> Frame:
    """Check an image of this process: BGR (height, width, 3), or grey (height, width).

    Raises `InvalidImageError` and `InvalidRegionError`.
    """
    is_bgr = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (is_bgr or pixels.ndim == 2) or not pixels.size:
        raise InvalidImageError(
            "image",
            "IMAGE_INVALID",
            got=f"an array of {pixels.dtype} with shape {pixels.shape}",
            want="uint8 with shape (height, width, 3) in BGR order or (height, width) of grey",
        )
    limits.check_size("image", Size(pixels.shape[1], pixels.shape[0]))
    # OpenCV does not take every layout that NumPy has, such as mirrored rows.
    packed = np.ascontiguousarray(pixels)
    if not is_bgr:
        packed = cv2.cvtColor(packed, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    whole = Frame.whole(packed)
    return whole if region is None else _part(whole, region)


def _part(frame: Frame, region: RegionOfInterest) -> Frame:
    part = region.within(Size(frame.width, frame.height))
    rows = slice(part.top, part.top + part.height)
    columns = slice(part.left, part.left + part.width)
    return replace(frame, pixels=frame.pixels[rows, columns], part=part)
