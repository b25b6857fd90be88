"""WebP files: still images, of which the decoder gets only the coded frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress

from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError, undecodable

_ANIMATION = 0x02
_METADATA = 0x08  # EXIF
_FRAMES = (b"VP8 ", b"VP8L")
# Encoders write at most a colour profile and the transparency before the frame, and two kinds of
# metadata after it.
_MAX_CHUNKS = 16


def webp_size(data: bytes) -> Size:
    """Read the size of the coded frame; check that it fills the canvas and is not animated."""
    riff_length, kind = struct.unpack_from("<I4x4s", data, 4)
    if riff_length + 8 > len(data):
        raise undecodable(f"{len(data)} bytes of a WebP of {riff_length + 8}", "the whole file")
    if kind in _FRAMES:
        return _frame_size(data, 12)
    if kind != b"VP8X":
        raise _unknown_chunk(kind)
    flags, *sides = struct.unpack_from("<B3xHBHB", data, 20)
    if flags & _ANIMATION:
        raise undecodable("an animated WebP", "a still one")
    start, _ = _frame(data)
    size = _frame_size(data, start)
    canvas = Size(*(low + (high << 16) + 1 for low, high in (sides[:2], sides[2:])))
    if size != canvas:
        raise undecodable(
            f"a WebP frame of {size.width}x{size.height} pixels on a canvas of "
            f"{canvas.width}x{canvas.height}",
            "equal sizes",
        )
    return size


def webp_exif(data: bytes) -> memoryview:
    """Return the EXIF metadata; empty if there is none, or damage before it."""
    (riff_length,) = struct.unpack_from("<I", data, 4)
    if data[12:16] == b"VP8X" and data[20] & _METADATA:
        with suppress(InvalidImageError, struct.error):
            for kind, start, end in _chunks(data):
                if kind == b"EXIF" and end <= riff_length + 8:
                    return memoryview(data)[start + 8 : end]
    return memoryview(b"")


def bare_webp(data: bytes) -> bytes:
    """Return the file without metadata, colour profile and transparency.

    It has at least the 32 bytes that OpenCV requires.
    """
    start, end = _frame(data)
    padding = bytes((end - start) % 2)
    content = b"".join((b"WEBP", data[start:end], padding))
    return (b"RIFF" + struct.pack("<I", len(content)) + content).ljust(32, b"\0")


def _frame(data: bytes) -> tuple[int, int]:
    """Return the offsets of the chunk of the coded frame, without its padding."""
    for kind, start, end in _chunks(data):
        if kind in _FRAMES:
            return start, end
    raise undecodable("a WebP without an image, VP8 or VP8L", "one with an image")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    end = 12
    for _ in range(_MAX_CHUNKS):
        start = end + end % 2
        kind, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length
        if end > len(data):
            raise undecodable(f"{len(data)} bytes of a WebP of at least {end}", "the whole file")
        yield kind, start, end
    raise undecodable(f"a WebP with more than {_MAX_CHUNKS} chunks before its image", "fewer")


def _frame_size(data: bytes, at: int) -> Size:
    kind = data[at : at + 4]
    if kind == b"VP8 ":
        start_code, width, height = struct.unpack_from("<3sHH", data, at + 11)
        if start_code == b"\x9d\x01\x2a":
            return Size(width & 0x3FFF, height & 0x3FFF)  # above are two bits of scaling
    else:
        signature, bits = struct.unpack_from("<BI", data, at + 8)
        if signature == 0x2F:
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    raise _unknown_chunk(kind)


def _unknown_chunk(kind: bytes) -> InvalidImageError:
    return undecodable(
        f"a WebP whose first chunk is a damaged or unknown {kind!r}", "VP8, VP8L or VP8X"
    )
