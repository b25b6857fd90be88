"""PNG files: checks their chunks and rewrites them for the decoder.

A file may claim chunks of 4 GiB, and a few of its bytes may inflate to megabytes, also in metadata
and after the last pixel. So the decoder never sees it. It gets a new file of the chunks with
pixels, with exactly the rows that the size requires, inflated here and stored uncompressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from posewire_server.geometry import Size
from posewire_server.image.errors import undecodable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3
# Bits a sample may have, and samples of a pixel, by colour type.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_MAX_FILTER = 4
# Left, top and steps of the pixels of each pass.
_NOT_INTERLACED = ((0, 0, 1, 1),)
_INTERLACED = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
# Encoders write chunks of 8 KiB, some of 4. More chunks would only cost time to skip.
_MAX_CHUNKS = 1 << 14
# Bytes inflated at a time, and bytes of compressed data read at a time.
_BLOCK = 1 << 17
_SLICE = 1 << 16


@dataclass(frozen=True, slots=True)
class _Header:
    size: Size
    depth: int
    colour: int
    interlaced: bool

    def passes(self) -> Iterator[tuple[int, int]]:
        """Yield the length of a row with its filter, and the number of rows."""
        bits = self.depth * _SAMPLES[self.colour]
        for left, top, step_x, step_y in _INTERLACED if self.interlaced else _NOT_INTERLACED:
            width = -(-(self.size.width - left) // step_x)
            height = -(-(self.size.height - top) // step_y)
            if width > 0 and height > 0:
                yield 1 + (width * bits + 7) // 8, height


def png_size(data: bytes) -> Size:
    """Read the size from the header; check that the chunks lie within the file up to the last."""
    header = _header(data)
    for _ in _chunks(data):
        pass
    return header.size


def png_exif(data: bytes) -> memoryview:
    """Return the EXIF metadata; empty if there is none or its checksum is wrong."""
    for kind, content in _chunks(data):
        if kind == b"eXIf" and _is_intact(data, content):
            return memoryview(data)[content]
    return memoryview(b"")


def plain_png_bytes(data: bytes) -> int:
    """Return the size of the rows in `plain_png`."""
    return sum(length * count for length, count in _header(data).passes())


def plain_png(data: bytes) -> bytearray:
    """Return the file without metadata and compression, for a size that has been checked.

    A palette is padded with black, so that no pixel lies outside of it. Raises `InvalidImageError`
    for damage in those parts; data after the last pixel is ignored.
    """
    header = _header(data)
    _check(data, slice(16, 29))
    palette, pixels = _content(data)
    written = bytearray(_SIGNATURE)
    _append(written, b"IHDR", data[16:29])
    if header.colour == _PALETTE:
        _append(written, b"PLTE", _palette(data, palette, 3 << header.depth))
    stored = zlib.compressobj(0)
    for rows in _rows(header, _Inflater(_slices(data, pixels))):
        _append(written, b"IDAT", stored.compress(rows))
    _append(written, b"IDAT", stored.flush())
    _append(written, b"IEND", b"")
    return written


def _header(data: bytes) -> _Header:
    length, kind, width, height, depth, colour, *methods, interlace = struct.unpack_from(
        ">I4sII5B", data, 8
    )
    if (length, kind) != (13, b"IHDR"):
        raise undecodable("a PNG that does not begin with its header chunk", "one that does")
    if depth not in _DEPTHS.get(colour, ()) or any(methods) or interlace > 1:
        raise undecodable(
            f"a PNG of colour type {colour}, depth {depth} and methods {methods} {interlace}",
            "those of the specification",
        )
    return _Header(Size(width, height), depth, colour, interlace == 1)


def _chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Yield the kind and the place of each chunk's content up to the last chunk."""
    at = 8
    for _ in range(_MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = slice(at + 8, at + 8 + length)
        at = content.stop + 4
        if at > len(data):
            raise undecodable(f"{len(data)} bytes of a PNG of at least {at}", "the whole file")
        yield kind, content
        if kind == b"IEND":
            return
    raise undecodable(f"a PNG with more than {_MAX_CHUNKS} chunks", "fewer")


def _content(data: bytes) -> tuple[slice, list[slice]]:
    """Return the places of the palette, empty if there is none, and of the pixels."""
    palette = slice(0, 0)
    pixels: list[slice] = []
    previous = b""
    for kind, content in _chunks(data):
        if kind == b"IDAT":
            if pixels and previous != kind:
                raise undecodable("a PNG with other chunks between its IDAT chunks", "none")
            pixels.append(content)
        elif kind == b"PLTE" and not pixels:
            palette = content
        elif kind[:1].isupper() and kind not in (b"IHDR", b"PLTE", b"IEND"):
            raise undecodable(f"a PNG with a chunk {kind!r} that is needed to decode it", "none")
        previous = kind
    return palette, pixels


def _palette(data: bytes, content: slice, length: int) -> bytes:
    colours = data[content]
    if not colours or len(colours) % 3:
        raise undecodable(f"a PNG with a palette of {len(colours)} bytes", "a multiple of three")
    _check(data, content)
    return colours[:length].ljust(length, b"\0")


def _is_intact(data: bytes, content: slice) -> bool:
    (wanted,) = struct.unpack_from(">I", data, content.stop)
    return bool(zlib.crc32(memoryview(data)[content.start - 4 : content.stop]) == wanted)


def _check(data: bytes, content: slice) -> None:
    if not _is_intact(data, content):
        kind = data[content.start - 4 : content.start]
        raise undecodable(
            f"a damaged PNG: the checksum of a chunk {kind!r} is wrong", "a correct one"
        )


def _rows(header: _Header, inflater: _Inflater) -> Iterator[bytearray]:
    """Yield the rows of all passes, many at a time; check their filters."""
    for length, count in header.passes():
        at_a_time = max(1, _BLOCK // length)
        for done in range(0, count, at_a_time):
            rows = inflater.take(min(at_a_time, count - done) * length)
            if np.frombuffer(rows, np.uint8)[::length].max() > _MAX_FILTER:
                raise undecodable("a damaged PNG with an unknown filter", "0 to 4")
            yield rows


class _Inflater:
    """Inflates the compressed data, no further than requested."""

    def __init__(self, compressed: Iterator[memoryview]) -> None:
        self._compressed = compressed
        self._inflate = zlib.decompressobj()

    def take(self, length: int) -> bytearray:
        """Return the next bytes. Raises `InvalidImageError` if there are fewer."""
        taken = bytearray()
        while len(taken) < length:
            compressed = self._inflate.unconsumed_tail or next(self._compressed, b"")
            try:
                inflated = self._inflate.decompress(compressed, length - len(taken))
            except zlib.error as error:
                raise undecodable(
                    f"a damaged PNG whose pixels do not inflate: {error}", "intact data"
                ) from error
            taken += inflated
            if len(taken) < length and (self._inflate.eof or not (compressed or inflated)):
                raise undecodable("a PNG with fewer pixels than its header states", "all of them")
        return taken


def _slices(data: bytes, pixels: list[slice]) -> Iterator[memoryview]:
    """Yield the compressed data in short pieces, checking the checksum of each chunk before."""
    view = memoryview(data)
    for content in pixels:
        _check(data, content)
        for start in range(content.start, content.stop, _SLICE):
            yield view[start : min(start + _SLICE, content.stop)]


def _append(written: bytearray, kind: bytes, content: bytes | bytearray) -> None:
    written += struct.pack(">I", len(content))
    written += kind
    written += content
    written += struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
