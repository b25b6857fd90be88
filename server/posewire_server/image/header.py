"""Headers of image files: format and size, read before a pixel is decoded.

The readers of the four formats are strict, so that the decoder cannot find a larger image in a file
than they do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError

FIELD = "image.encoded.data"

_START_OF_SCAN = 0xDA
_NOT_SOF = (0xC4, 0xC8, 0xCC)  # all others from 0xc0 to 0xcf start a frame
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
# Files have at most some 300 before the first scan, most of them parts of a colour profile.
_MAX_JPEG_MARKERS = 1000
# The decoder passes over the whole image for each scan, however short. Encoders write about ten.
_MAX_JPEG_SCANS = 100
# The name of the last chunk and its checksum, which is constant because the chunk is empty.
_PNG_END = b"IEND\xaeB`\x82"

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

    Raises `InvalidImageError`, also for a JPEG without an end, a PNG without its last chunk and a
    WebP that is shorter than it claims. Other damage shows when the pixels are decoded.
    """
    name, read_size = _reader(data)
    try:
        size = read_size(data)
    except (struct.error, IndexError):
        refuse(f"a {name} of {len(data)} bytes that ends in its header", "the whole file")
    if min(size) < 1:
        refuse(f"a {name} of {size.width}x{size.height} pixels", "at least 1x1")
    return ImageHeader(name, size)


def refuse(got: str, want: str) -> NoReturn:
    """Raise the error of a file that cannot be decoded."""
    raise InvalidImageError(FIELD, "IMAGE_UNDECODABLE", got=got, want=want)


def _reader(data: bytes) -> tuple[str, Callable[[bytes], Size]]:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG", _jpeg_size
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG", _png_size
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP", _webp_size
    if data.startswith(b"BM"):
        return "BMP", _bmp_size
    refuse(_beginning(data), "a JPEG, PNG, WebP or BMP file")


def _beginning(data: bytes) -> str:
    for start, name in _RECOGNISED:
        if data.startswith(start):
            return f"a file that begins like {name}"
    if data[4:8] == b"ftyp":
        return "a file that begins like HEIF, AVIF or MP4"
    return f"{len(data)} bytes of no known format, beginning with {data[:8].hex(' ')}"


def _jpeg_size(data: bytes) -> Size:
    frame = None
    for marker, at in _jpeg_segments(data):
        if marker == _START_OF_SCAN:
            break
        if frame is None and 0xC0 <= marker <= 0xCF and marker not in _NOT_SOF:
            frame = at
    if frame is None:
        refuse("a JPEG without a frame header before its first scan", "one that has it")
    if data.rfind(b"\xff\xd9", at) < 0:
        refuse(f"a JPEG of {len(data)} bytes without an end-of-image marker", "the whole file")
    in_passes = data[frame + 1] in _PROGRESSIVE or data[at + 4] < data[frame + 9]
    # Inside scans 0xff is followed by 0 or a restart, so that markers can be looked for as bytes.
    if in_passes and (scans := data.count(b"\xff\xda", at)) > _MAX_JPEG_SCANS:
        refuse(f"a JPEG of {scans} scans", f"at most {_MAX_JPEG_SCANS}")
    height, width = struct.unpack_from(">HH", data, frame + 5)
    return Size(width, height)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield markers and offsets up to the first scan; skip other bytes, like libjpeg."""
    at = 2
    for _ in range(_MAX_JPEG_MARKERS):
        at = data.find(b"\xff", at)
        if at < 0:
            refuse(f"a JPEG of {len(data)} bytes without a scan", "the whole file")
        marker = data[at + 1]
        if marker == 0xFF:  # of several, the last one begins the marker
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:  # no segment follows
            at += 2
        elif marker in (0xD8, 0xD9):
            refuse("a JPEG that begins or ends a second time before its first scan", "once")
        else:
            yield marker, at
            at += 2 + max(2, *struct.unpack_from(">H", data, at + 2))
    refuse(f"a JPEG with more than {_MAX_JPEG_MARKERS} markers before its first scan", "fewer")


def _png_size(data: bytes) -> Size:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if (length, kind) != (13, b"IHDR"):
        refuse("a PNG that does not begin with its header chunk", "one that does")
    if data.rfind(_PNG_END) < 0:
        refuse(f"a PNG of {len(data)} bytes without its last chunk, IEND", "the whole file")
    return Size(width, height)


def _webp_size(data: bytes) -> Size:
    riff_length, kind = struct.unpack_from("<I4x4s", data, 4)
    if riff_length + 8 > len(data):
        refuse(f"{len(data)} bytes of a WebP of {riff_length + 8}", "the whole file")
    if kind == b"VP8 ":
        start_code, width, height = struct.unpack_from("<3sHH", data, 23)
        if start_code == b"\x9d\x01\x2a":
            return Size(width & 0x3FFF, height & 0x3FFF)  # above are two bits of scaling
    elif kind == b"VP8L":
        signature, bits = struct.unpack_from("<BI", data, 20)
        if signature == 0x2F:
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"VP8X":
        width, height = (struct.unpack_from("<I", data[at : at + 3] + b"\0")[0] for at in (24, 27))
        return Size(width + 1, height + 1)
    refuse(f"a WebP whose first chunk is a damaged or unknown {kind!r}", "VP8, VP8L or VP8X")


def _bmp_size(data: bytes) -> Size:
    (header_length,) = struct.unpack_from("<I", data, 14)
    if header_length == 12:
        return Size(*struct.unpack_from("<HH", data, 18))
    if header_length < 40:
        refuse(f"a BMP with a header of {header_length} bytes", "12, or 40 and more")
    width, height = struct.unpack_from("<ii", data, 18)
    return Size(width, abs(height))  # negative where rows go from top to bottom
