"""Convert images to messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_client.errors import UnsuitableImageError

ImageInput: TypeAlias = (
    "NDArray[np.uint8] | bytes | bytearray | memoryview | str | os.PathLike[str]"
)

_EXPECTED = (
    "expected a uint8 array (height, width, 3) in BGR order or (height, width) of grey, "
    "or the bytes or the path of an image file"
)


def write_image(message: image_pb2.Image, image: ImageInput) -> int:
    """Write the image into the message with a single copy; return the size of its data in bytes.

    Raises UnsuitableImageError, and OSError for a file that cannot be read.
    """
    if isinstance(image, np.ndarray):
        return _write_pixels(message.raw, image)
    if isinstance(image, bytes | bytearray | memoryview):
        return _write_file(message.encoded, bytes(image), source="the image's bytes")
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return _write_file(message.encoded, path.read_bytes(), source=f"the file {path}")
    raise UnsuitableImageError(f"the image is of type {type(image).__name__}; {_EXPECTED}")


def _write_pixels(raw: image_pb2.RawImage, pixels: NDArray[np.uint8]) -> int:
    is_grey = pixels.ndim == 2
    is_colour = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (is_grey or is_colour) or pixels.size == 0:
        raise UnsuitableImageError(
            f"the image is an array of {pixels.dtype} with shape {pixels.shape}; {_EXPECTED}"
        )
    data = pixels.tobytes()
    raw.height, raw.width = pixels.shape[:2]
    raw.pixel_format = image_pb2.PIXEL_FORMAT_GRAY8 if is_grey else image_pb2.PIXEL_FORMAT_BGR8
    raw.data = data
    return len(data)


def _write_file(encoded: image_pb2.EncodedImage, data: bytes, *, source: str) -> int:
    if not data:
        raise UnsuitableImageError(f"{source}: 0 bytes; expected a whole image file")
    encoded.data = data
    return len(data)
