"""Convert images to messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias, TypeGuard

from posewire.v1 import image_pb2
from posewire_client.errors import UnsuitableImageError
from posewire_client.pixels import EXPECTED, Color, PixelInput, is_pixels, write_pixels

ImageInput: TypeAlias = "PixelInput | bytes | bytearray | memoryview | str | os.PathLike[str]"


def write_image(message: image_pb2.Image, image: ImageInput, *, color: Color = "bgr") -> int:
    """Write the image into the message with a single copy; return the size of its data in bytes.

    `color` is the order of an array's channels. Raises UnsuitableImageError, and OSError for a file
    that cannot be read.
    """
    if is_pixels(image):
        return write_pixels(message.raw, image, color=color)
    if isinstance(image, bytes | bytearray | memoryview):
        return _write_file(message.encoded, bytes(image), source="the image's bytes")
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return _write_file(message.encoded, path.read_bytes(), source=f"the file {path}")
    raise UnsuitableImageError(f"the image is of type {type(image).__name__}; {EXPECTED}")


def is_path(image: ImageInput) -> TypeGuard[str | os.PathLike[str]]:
    """Whether the image is given by the path of its file."""
    return isinstance(image, str | os.PathLike)


def _write_file(encoded: image_pb2.EncodedImage, data: bytes, *, source: str) -> int:
    if not data:
        raise UnsuitableImageError(f"{source}: 0 bytes; expected a whole image file")
    encoded.data = data
    return len(data)
