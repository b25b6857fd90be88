"""Frames: images of clients, checked and decoded to pixels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.geometry import Size
from posewire_server.image.encoded import DecodedImage, decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits
from posewire_server.image.orientation import UPRIGHT, Orientation
from posewire_server.image.raw import raw_pixels
from posewire_server.image.region import PixelBox, RegionOfInterest


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image, or the part of it to search for people.

    `width` and `height`: of the whole image after its orientation, to which coordinates and `part`
    refer. `pixels` (h, w, 3): those of `part` before the orientation, channels B, G, R, possibly
    read-only. Each pixel covers `reduction` x `reduction` pixels of the image; those of the last
    row and column may extend beyond it.
    """

    width: int
    height: int
    pixels: NDArray[np.uint8]
    part: PixelBox
    reduction: int = 1
    orientation: Orientation = UPRIGHT

    @classmethod
    def whole(cls, pixels: NDArray[np.uint8]) -> Frame:
        """Wrap a BGR image (h, w, 3)."""
        height, width = pixels.shape[:2]
        return cls(width, height, pixels, PixelBox(0, 0, width, height))

    @classmethod
    def decoded(cls, image: DecodedImage) -> Frame:
        """Wrap the whole of an image file."""
        width, height = image.orientation.swap(image.size)
        part = PixelBox(0, 0, width, height)
        return cls(width, height, image.pixels, part, image.reduction, image.orientation)

    def oriented_pixels(self) -> NDArray[np.uint8]:
        """Return the pixels as a viewer shows them."""
        if self.orientation == UPRIGHT:
            return self.pixels
        return self.orientation.apply(self.pixels)


def frame_from_proto(
    image: image_pb2.Image,
    *,
    limits: ImageLimits,
    region: RegionOfInterest | None = None,
    needed: Callable[[Size], Size] | None = None,
    large: AbstractContextManager[object] | None = None,
) -> Frame:
    """Decode the image of a request. Slow and without the GIL, so call it in a worker thread.

    `needed` maps an image's size to the size that the network can use; a larger JPEG is then
    decoded at reduced size. Images are decoded at full size without `needed`, or with a region,
    which may start and end at any pixel. `large` is held while an image is decoded that takes much
    memory. Raises `InvalidImageError` and `InvalidRegionError`.
    """
    match image.WhichOneof("source"):
        case "encoded":
            data = image.encoded.data  # once: each access copies
            decoded = decode_image(
                data,
                limits=limits,
                needed=needed if region is None else None,
                apply_orientation=_applies_orientation(image.encoded.orientation_policy),
                large=large,
            )
            whole = Frame.decoded(decoded)
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


def _applies_orientation(policy: int) -> bool:
    if policy not in image_pb2.OrientationPolicy.values():
        raise InvalidImageError(
            "image.encoded.orientation_policy",
            "FIELD_INVALID",
            got=str(policy),
            want="IGNORE or APPLY",
        )
    return policy == image_pb2.ORIENTATION_POLICY_APPLY


def _part(frame: Frame, region: RegionOfInterest) -> Frame:
    size = Size(frame.width, frame.height)
    part = region.within(size)
    stored = frame.orientation.stored_box(part, size)
    rows = slice(stored.top, stored.top + stored.height)
    columns = slice(stored.left, stored.left + stored.width)
    return replace(frame, pixels=frame.pixels[rows, columns], part=part)
