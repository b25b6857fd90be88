"""Small image files that cost far more than their bytes or their pixels, or try to.

Each is a function of no arguments; `EVERY_HOSTILE_FILE` names them all.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

from tests.reference.image_files import png_chunk, riff_chunk, webp_file

# The default limit on pixels is 2^25.
SIDE = 5792
_MIB = 1 << 20


def chunk_of_4_gib() -> bytes:
    """A PNG of 53 bytes with a chunk that claims 4 GiB."""
    return _png(8, 8, struct.pack(">I4s", 0xFFFF_FFF0, b"IDAT"))


def pixels_without_end() -> bytes:
    """A PNG of 8x8 pixels whose data goes on for 24 GiB."""
    return _png(8, 8, png_chunk(b"IDAT", _zeros(24 << 10)))


def profile_without_end() -> bytes:
    return _png_with(png_chunk(b"iCCP", b"name\0\0" + _zeros(8 << 10)))


def text_without_end() -> bytes:
    return _png_with(png_chunk(b"zTXt", b"name\0\0" + _zeros(8 << 10)))


def international_text_without_end() -> bytes:
    return _png_with(png_chunk(b"iTXt", b"name\0\1\0\0\0" + _zeros(8 << 10)))


def many_texts() -> bytes:
    """A PNG whose 10,000 texts inflate to a megabyte each."""
    return _png_with(png_chunk(b"zTXt", b"name\0\0" + _zeros(1)) * 10_000)


def empty_chunks() -> bytes:
    """A PNG of a million chunks."""
    return _png_with(png_chunk(b"IDAT", b"") * 1_000_000)


def animated_png() -> bytes:
    """A PNG with a second frame that goes on for 8 GiB."""
    control = png_chunk(b"acTL", struct.pack(">II", 1 << 20, 0))
    frame = png_chunk(b"fcTL", struct.pack(">5IHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(8 * 9)))
    return _png(8, 8, control + frame + pixels + frame + png_chunk(b"fdAT", _zeros(8 << 10)))


def animated_webp() -> bytes:
    """A WebP of 90 bytes with a frame of 1x1 pixels on a canvas of 33 megapixels."""
    placing = bytes(6) + _bits24(0, 0, 100) + b"\0"
    frame = riff_chunk(b"ANMF", placing + _LOSSLESS_PIXEL)
    return webp_file(_canvas(flags=2) + riff_chunk(b"ANIM", bytes(6)) + frame)


def webp_with_a_large_canvas() -> bytes:
    """A still WebP with a frame of 1x1 pixels on a canvas of 33 megapixels."""
    return webp_file(_canvas(flags=0) + _LOSSLESS_PIXEL)


def webp_of_empty_chunks() -> bytes:
    return webp_file(_canvas(flags=0) + riff_chunk(b"none", b"") * 1_000_000 + _LOSSLESS_PIXEL)


def run_length_bmp() -> bytes:
    """A BMP whose 33 megapixels are an end-of-image code."""
    return _bmp(8, compression=1, rows=b"\0\1")


def run_length_bmp_of_steps() -> bytes:
    """A BMP of 16 million steps of no pixels."""
    return _bmp(8, compression=1, rows=b"\0\2\0\0" * (4 * _MIB))


def bmp_without_rows() -> bytes:
    return _bmp(24, compression=0, rows=b"")


def jpeg_of_100_scans() -> bytes:
    """A JPEG of a kilobyte with 33 megapixels in 100 passes."""
    return _jpeg(scans=100)


def jpeg_of_10_components() -> bytes:
    return _jpeg(scans=2, components=10)


def jpeg_without_end() -> bytes:
    """A JPEG in which the end is looked for in vain, slowly with most ways of searching."""
    return _jpeg(scans=1, side=64)[:-2] + b"\xda\xff" * (12 * _MIB)


def jpeg_of_near_scans() -> bytes:
    """A JPEG in which scans are counted slowly with most ways of searching."""
    return _jpeg(scans=1, side=64)[:-2] + b"\xff\xd8" * (12 * _MIB) + b"\xff\xd9"


EVERY_HOSTILE_FILE: dict[str, Callable[[], bytes]] = {
    build.__name__: build
    for build in (
        chunk_of_4_gib,
        pixels_without_end,
        profile_without_end,
        text_without_end,
        international_text_without_end,
        many_texts,
        empty_chunks,
        animated_png,
        animated_webp,
        webp_with_a_large_canvas,
        webp_of_empty_chunks,
        run_length_bmp,
        run_length_bmp_of_steps,
        bmp_without_rows,
        jpeg_of_100_scans,
        jpeg_of_10_components,
        jpeg_without_end,
        jpeg_of_near_scans,
    )
}


def largest_png() -> bytes:
    """The costliest PNG within the default limits: interlaced, four channels of 16 bits."""
    return _png(
        SIDE,
        SIDE,
        png_chunk(b"IDAT", _zeros(-(-8 * SIDE * (SIDE + 3) // _MIB))),
        depth=16,
        colour=6,
        interlace=1,
    )


def largest_jpeg() -> bytes:
    """The costliest JPEG within the default limits: as many passes as are allowed."""
    return jpeg_of_scans(32, side=SIDE)


def jpeg_of_scans(scans: int, *, side: int, sampling: int = 0x11) -> bytes:
    """A progressive JPEG of intact data, grey in every scan.

    `sampling`: how many blocks of the first component, along x and y, share one of the others.
    """
    # In the first scan a 0 is a difference of 0. In the others it is a code for the end of 16384
    # and as many more blocks as the 14 bits after it say.
    along = [-(-side // (8 * share)) for share in (sampling >> 4, sampling & 15)]
    bits = along[0] * along[1] * ((sampling >> 4) * (sampling & 15) + 2)
    runs = -(-(((side + 7) // 8) ** 2) // 16384)
    return _jpeg(
        scans=scans,
        side=side,
        sampling=sampling,
        data=(bytes(-(-bits // 8)), bytes(-(-15 * runs // 8))),
    )


@cache
def _zeros(mebibytes: int) -> bytes:
    """A zlib stream of so many zeros; after a full flush, compressed blocks can be repeated."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    compress.compress(bytes(_MIB))
    compress.flush(zlib.Z_FULL_FLUSH)
    block = compress.compress(bytes(_MIB)) + compress.flush(zlib.Z_FULL_FLUSH)
    return (
        b"\x78\xda"
        + block * mebibytes
        + b"\3\0"
        + struct.pack(">I", mebibytes * _MIB % 65521 << 16 | 1)
    )


def _png(
    width: int, height: int, chunks: bytes, *, depth: int = 8, colour: int = 0, interlace: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + chunks + png_chunk(b"IEND", b"")


def _png_with(chunk: bytes) -> bytes:
    """A PNG of 8x8 pixels with the chunk before them."""
    return _png(8, 8, chunk + png_chunk(b"IDAT", zlib.compress(bytes(8 * 9))))


def _bits24(*values: int) -> bytes:
    return b"".join(struct.pack("<I", value)[:3] for value in values)


def _canvas(*, flags: int) -> bytes:
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + _bits24(SIDE - 1, SIDE - 1))


# One pixel, each of whose five codes has a single symbol.
_LOSSLESS_PIXEL = riff_chunk(b"VP8L", b"\x2f" + bytes(4) + b"\x88\x88\x08\0")


def _bmp(depth: int, *, compression: int, rows: bytes) -> bytes:
    palette = bytes(4 << depth) if depth <= 8 else b""
    header = struct.pack("<IiiHHII12xI", 40, SIDE, SIDE, 1, depth, compression, 0, 0)
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<I4xI", 0, offset) + header + palette + rows


def _jpeg(
    *,
    scans: int,
    components: int = 3,
    side: int = SIDE,
    sampling: int = 0x11,
    data: tuple[bytes, bytes] = (b"", b""),
) -> bytes:
    """A progressive JPEG; `data`: of the first scan and of each other, none by default."""
    numbers = range(1, components + 1)
    # One code each: a difference of 0, and the end of 16384 blocks or more.
    tables = _segment(0xDB, b"\0" + b"\1" * 64) + b"".join(
        _segment(0xC4, bytes([kind, 1]) + bytes(15) + symbol)
        for kind, symbol in ((0x00, b"\0"), (0x10, b"\xe0"))
    )
    frame = struct.pack(">BHHB", 8, side, side, components)
    frame += b"".join(bytes([number, sampling if number == 1 else 0x11, 0]) for number in numbers)
    first = bytes([min(components, 4)]) + b"".join(bytes([number, 0]) for number in numbers[:4])
    passes = (_segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + data[1]) * (scans - 1)
    return b"".join(
        (
            b"\xff\xd8",
            tables,
            _segment(0xC2, frame),
            _segment(0xDA, first + b"\0\0\0"),
            data[0],
            passes,
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
