"""Convert images to messages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from posewire.v1 import image_pb2
from posewire_client.errors import UnsuitableImageError
from posewire_client.pixels import EXPECTED, Color, PixelInput, is_pixels, write_pixels

FileInput: TypeAlias = "bytes | bytearray | memoryview | str | os.PathLike[str]"
ImageInput: TypeAlias = "PixelInput | FileInput | EncodedImage"


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image file, by its bytes or its path, and how to read it.

    `apply_orientation`: whether coordinates refer to the image as a viewer shows it, turned as its
    EXIF metadata says, or to the pixels as stored. Files without an `EncodedImage` are turned.
    """

    file: FileInput
    apply_orientation: bool = True


def write_image(message: image_pb2.Image, image: ImageInput, *, color: Color = "bgr") -> int:
    """Write the image into the message with a single copy; return the size of its data in bytes.

    `color` is the order of an array's channels. Raises UnsuitableImageError, and OSError for a file
    that cannot be read.
    """
    if is_pixels(image):
        return write_pixels(message.raw, image, color=color)
    file = as_file(image)
    message.encoded.orientation_policy = (
        image_pb2.ORIENTATION_POLICY_APPLY
        if file.apply_orientation
        else image_pb2.ORIENTATION_POLICY_IGNORE
    )
    return _write_file(message.encoded, file.file)


def as_file(image: ImageInput) -> EncodedImage:
    """Return the file that the image is given by; raises UnsuitableImageError."""
    if isinstance(image, EncodedImage):
        return image
    if isinstance(image, bytes | bytearray | memoryview | str | os.PathLike):
        return EncodedImage(image)
    raise UnsuitableImageError(f"the image is of type {type(image).__name__}; {EXPECTED}")


def is_by_path(image: ImageInput) -> bool:
    """Whether the image is given by the path of its file."""
    file = image.file if isinstance(image, EncodedImage) else image
    return isinstance(file, str | os.PathLike)


def _write_file(encoded: image_pb2.EncodedImage, file: FileInput) -> int:
    if isinstance(file, bytes | bytearray | memoryview):
        data, source = bytes(file), "the image's bytes"
    elif isinstance(file, str | os.PathLike):
        data, source = Path(file).read_bytes(), f"the file {Path(file)}"
    else:
        raise UnsuitableImageError(f"the image is of type {type(file).__name__}; {EXPECTED}")
    if not data:
        raise UnsuitableImageError(f"{source}: 0 bytes; expected a whole image file")
    encoded.data = data
    return len(data)
