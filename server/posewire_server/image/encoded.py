"""Decodes image files to pixels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.errors import ENCODED_DATA, InvalidImageError, undecodable
from posewire_server.image.exif import read_orientation
from posewire_server.image.header import ImageHeader, read_header
from posewire_server.image.jpeg_pixels import jpeg_pixels
from posewire_server.image.limits import ImageLimits
from posewire_server.image.orientation import UPRIGHT, Orientation
from posewire_server.image.png import plain_png, plain_png_bytes
from posewire_server.image.webp import bare_webp

_READ = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
# A PNG that takes more memory than this, with its decoded pixels, is a large one. Those of usual
# cameras and screens do not: 12 megapixels of 8 bits take 108 MB.
_LARGE_BYTES = 128 << 20
# What OpenCV takes for each pixel of a PNG: it decodes to one image and copies it to another.
_PIXEL_BYTES = 6


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """`pixels` (h, w, 3), channels B, G, R, of an image of `size`, both as stored in the file.

    Each pixel covers `reduction` x `reduction` pixels of the image; those of the last row and
    column may extend beyond it. `orientation` is to be applied to them.
    """

    size: Size
    pixels: NDArray[np.uint8]
    reduction: int
    orientation: Orientation = UPRIGHT


def decode_image(
    data: bytes,
    *,
    limits: ImageLimits | None,
    needed: Callable[[Size], Size] | None = None,
    apply_orientation: bool = False,
    large: AbstractContextManager[object] | None = None,
) -> DecodedImage:
    """Decode the pixels as stored in the file, without transparency.

    `needed` maps the image's oriented size to the size that is needed: a JPEG at least twice as
    large on both sides is decoded at a half, a quarter or an eighth. `apply_orientation`: read the
    orientation from the file; its pixels remain as stored. `large` is held while a PNG is decoded
    that takes much memory. Raises `InvalidImageError`, also for a truncated file and for damage
    that the decoder notices. Time and memory are bounded by the pixels and bytes that the limits
    allow, whatever the file holds.
    """
    if not data:
        raise InvalidImageError(ENCODED_DATA, "IMAGE_INVALID", got="no bytes", want="an image file")
    if limits is not None:
        limits.check_bytes(ENCODED_DATA, data)
    header = read_header(data)
    if limits is not None:
        limits.check_size(ENCODED_DATA, header.size)
    orientation = read_orientation(header.format, data) if apply_orientation else UPRIGHT
    reduction = _reduction(header.format, orientation.swap(header.size), needed)
    pixels = _decode(header, data, reduction, large or nullcontext())
    wanted = (*(-(-side // reduction) for side in reversed(header.size)), 3)
    if pixels is None or pixels.shape != wanted or pixels.dtype != np.uint8:
        raise undecodable(
            f"a damaged {header.format} of {len(data)} bytes", "one that can be decoded"
        )
    return DecodedImage(header.size, pixels.astype(np.uint8, copy=False), reduction, orientation)


def _reduction(name: str, size: Size, needed: Callable[[Size], Size] | None) -> int:
    if needed is None or name != "JPEG":
        return 1
    shares = [has // want for has, want in zip(size, needed(size), strict=True)]
    return max(reduction for reduction in _READ if reduction <= max(1, min(shares)))


def _decode(
    header: ImageHeader, data: bytes, reduction: int, large: AbstractContextManager[object]
) -> NDArray[np.generic] | None:
    """Decode the file, or a smaller one of the same pixels that costs no more than they do."""
    match header.format:
        case "JPEG":
            pixels = jpeg_pixels(data, header.size, reduction)
            return _decode_by_opencv(data, reduction) if pixels is None else pixels
        case "PNG":
            with large if _is_large_png(header.size, data) else nullcontext():
                return _decode_by_opencv(plain_png(data))
        case "WebP":
            return _decode_by_opencv(bare_webp(data))
        case _:
            return _decode_by_opencv(data)


def _is_large_png(size: Size, data: bytes) -> bool:
    return plain_png_bytes(data) + _PIXEL_BYTES * size.width * size.height > _LARGE_BYTES


def _decode_by_opencv(data: bytes | bytearray, reduction: int = 1) -> NDArray[np.generic] | None:
    try:
        return cv2.imdecode(
            np.frombuffer(data, np.uint8), _READ[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        return None
