"""Decodes JPEG files whose headers have been checked, and finds damage in their data."""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.errors import undecodable
from posewire_server.image.jpeg import bare_jpeg

# Parts of messages of libjpeg-turbo about files that are unusual and not damaged.
_UNUSUAL = (
    "Could not determine subsampling",
    "unknown JFIF revision",
    "Unknown Adobe color transform",
    "Invalid SOS parameters for sequential",
    "Inconsistent progression sequence",
)
# Many cameras fill up their frames with bytes between the last pixel and the end.
_FILLED_UP = "extraneous bytes before marker 0xd9"
_NEVER = 16.0  # more than the largest reduction


def jpeg_pixels(data: bytes, size: Size, reduction: int) -> NDArray[np.uint8] | None:
    """Decode a JPEG of `size`, with a pixel for each `reduction` x `reduction` of the image.

    Returns None for a file of a rare kind, such as one with unusual sampling factors, which OpenCV
    decodes without finding damage. Raises `InvalidImageError` for damaged data.
    """
    width, height = (-(-side // reduction) for side in size)
    pixels = np.empty((height, width, 3), np.uint8)
    try:
        decoded: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            bare_jpeg(data),
            "BGR",
            min_height=height,
            min_width=width,
            min_factor=reduction if reduction > 1 else _NEVER,
            buffer=pixels,
            strict=True,
        )
    except ValueError as error:
        fault = str(error)
        if any(each in fault for each in _UNUSUAL):
            return None
        if fault.endswith(_FILLED_UP):
            return pixels  # the warning is given when all of them are decoded
        raise undecodable(f"a damaged JPEG: {fault}", "intact data") from error
    return decoded
