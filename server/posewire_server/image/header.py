"""Headers of image files: format and size, read before a pixel is decoded.

The readers of the four formats are strict. So the decoder cannot find a larger image in a file than
they do, nor one whose decoding cost is not bounded by its pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from posewire_server.geometry import Size
from posewire_server.image.bmp import bmp_size
from posewire_server.image.errors import undecodable
from posewire_server.image.jpeg import jpeg_size
from posewire_server.image.png import png_size
from posewire_server.image.webp import webp_size

_RECOGNISED = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"8BPS", "PSD"),
    (b"v/1\x01", "OpenEXR"),
)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """`format`: JPEG, PNG, WebP or BMP. `size`: as the file claims; at least 1x1."""

    format: str
    size: Size


def read_header(data: bytes) -> ImageHeader:
    """Read the format and size of a file, and check that it is complete.

    Raises `InvalidImageError`, also for a truncated file. Other damage is found when the pixels are
    decoded.
    """
    name, read_size = _reader(data)
    try:
        size = read_size(data)
    except (struct.error, IndexError) as error:
        raise undecodable(
            f"a {name} of {len(data)} bytes that ends in its header", "the whole file"
        ) from error
    if min(size) < 1:
        raise undecodable(f"a {name} of {size.width}x{size.height} pixels", "at least 1x1")
    return ImageHeader(name, size)


def _reader(data: bytes) -> tuple[str, Callable[[bytes], Size]]:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG", jpeg_size
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG", png_size
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP", webp_size
    if data.startswith(b"BM"):
        return "BMP", bmp_size
    raise undecodable(_beginning(data), "a JPEG, PNG, WebP or BMP file")


def _beginning(data: bytes) -> str:
    for start, name in _RECOGNISED:
        if data.startswith(start):
            return f"a file that begins like {name}"
    if data[4:8] == b"ftyp":
        return "a file that begins like HEIF, AVIF or MP4"
    return f"{len(data)} bytes of no known format, beginning with {data[:8].hex(' ')}"
