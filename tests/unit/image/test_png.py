from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_server.image import encoded as encoded_image
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.png import plain_png
from tests.reference.image_files import encoded, png_chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
]
# Columns and rows of each pass: first and step.
PASSES = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2)]
PASSES += [(0, 1, 1, 2)]


def header(width: int, height: int, colour: int = 0, depth: int = 8, interlace: int = 0) -> bytes:
    content = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return png_chunk(b"IHDR", content)


def file(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks) + png_chunk(b"IEND", b"")


def pixels_chunk(rows: bytes) -> bytes:
    return png_chunk(b"IDAT", zlib.compress(rows))


def random_rows(width: int, height: int, colour: int, depth: int, interlace: int) -> bytes:
    """Rows of all passes with filters of all kinds."""
    random = np.random.default_rng(width * height + colour + depth)
    rows = []
    for left, step_x, top, step_y in PASSES if interlace else [(0, 1, 0, 1)]:
        columns = len(range(left, width, step_x))
        length = (columns * SAMPLES[colour] * depth + 7) // 8
        for _ in range(top, height if columns else 0, step_y):
            rows.append(bytes([random.integers(5)]) + random.bytes(length))
    return b"".join(rows)


def as_opencv_decodes(content: bytes) -> NDArray[np.generic]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


def pixels(content: bytes) -> NDArray[np.uint8]:
    return decode_image(content, limits=None).pixels


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidImageError) as caught:
        decode_image(content, limits=None)
    assert caught.value.reason == "IMAGE_UNDECODABLE"
    return str(caught.value)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 9), (5, 1), (1, 5), (33, 40), (400, 300)])
def test_every_kind_has_the_pixels_that_opencv_finds(
    size: tuple[int, int], colour: int, depth: int, interlace: int
) -> None:
    rows = random_rows(*size, colour, depth, interlace)
    palette = np.random.default_rng(1).bytes(3 << depth if depth < 8 else 768)
    content = file(
        header(*size, colour, depth, interlace),
        png_chunk(b"PLTE", palette) if colour == 3 else b"",
        *(png_chunk(b"IDAT", part) for part in parts(zlib.compress(rows), 5)),
    )
    np.testing.assert_array_equal(pixels(content), as_opencv_decodes(content))


def parts(content: bytes, count: int) -> list[bytes]:
    length = -(-len(content) // count)
    return [content[at : at + length] for at in range(0, len(content), length)]


def test_metadata_changes_no_pixel() -> None:
    rows = random_rows(9, 7, 2, 8, 0)
    bare = file(header(9, 7, 2), pixels_chunk(rows))
    metadata = [
        png_chunk(b"gAMA", struct.pack(">I", 10_000)),
        png_chunk(b"cHRM", struct.pack(">8I", *range(10_000, 18_000, 1000))),
        png_chunk(b"sBIT", b"\5\5\5"),
        png_chunk(b"tRNS", bytes(6)),
        png_chunk(b"bKGD", bytes(6)),
        png_chunk(b"PLTE", bytes(30)),
        png_chunk(b"eXIf", b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)),
        png_chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(200))),
        png_chunk(b"zTXt", b"name\0\0" + zlib.compress(bytes(200))),
        b"\0\0\0\0tEXtnone",  # with a wrong checksum
    ]
    full = file(header(9, 7, 2), *metadata, pixels_chunk(rows), png_chunk(b"tIME", bytes(7)))
    np.testing.assert_array_equal(pixels(full), as_opencv_decodes(bare))
    assert plain_png(full) == plain_png(bare)


def test_of_an_animation_the_still_image_is_decoded() -> None:
    rows = random_rows(9, 7, 2, 8, 0)
    frame = struct.pack(">5IHHBB", 0, 9, 7, 0, 0, 1, 1, 0, 0)
    moving = file(
        header(9, 7, 2),
        png_chunk(b"acTL", struct.pack(">II", 2, 0)),
        png_chunk(b"fcTL", frame),
        pixels_chunk(rows),
        png_chunk(b"fcTL", b"\0\0\0\1" + frame[4:]),
        png_chunk(b"fdAT", b"\0\0\0\2" + zlib.compress(bytes(7 * 28))),
    )
    still = file(header(9, 7, 2), pixels_chunk(rows))
    np.testing.assert_array_equal(pixels(moving), as_opencv_decodes(still))


def test_a_pixel_outside_of_the_palette_is_black(capfd: pytest.CaptureFixture[str]) -> None:
    palette = png_chunk(b"PLTE", b"\x0a\x14\x1e")
    content = file(header(3, 1, 3), palette, pixels_chunk(b"\0\0\1\xff"))
    assert pixels(content).tolist() == [[[30, 20, 10], [0, 0, 0], [0, 0, 0]]]
    assert capfd.readouterr().err == ""


def test_a_palette_longer_than_its_pixels_can_ask_for_is_cut() -> None:
    content = file(
        header(2, 1, 3, 1), png_chunk(b"PLTE", bytes(range(30))), pixels_chunk(b"\0\x40")
    )
    assert pixels(content).tolist() == [[[2, 1, 0], [5, 4, 3]]]


ROWS = random_rows(9, 7, 0, 8, 0)


@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(ROWS + bytes(10**6)),
        zlib.compress(ROWS) + bytes(10**6),
        zlib.compress(ROWS)[:-4],
    ],
    ids=["more pixels", "more data", "no checksum"],
)
def test_what_follows_the_last_pixel_is_ignored(data: bytes) -> None:
    content = file(header(9, 7), png_chunk(b"IDAT", data))
    bare = file(header(9, 7), pixels_chunk(ROWS))
    assert plain_png(content) == plain_png(bare)
    np.testing.assert_array_equal(pixels(content), as_opencv_decodes(bare))


def test_no_more_is_inflated_than_the_size_asks_for() -> None:
    content = file(header(8, 8), pixels_chunk(bytes(200 << 20)))
    assert len(plain_png(content)) < 1000


IHDR, IDAT = header(9, 7), pixels_chunk(ROWS)
BAD_FILTER = ROWS[:30] + b"\5" + ROWS[31:]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (file(IHDR), "fewer pixels than its header"),
        (file(IHDR, png_chunk(b"IDAT", b"")), "fewer pixels than its header"),
        (file(IHDR, pixels_chunk(ROWS[:-1])), "fewer pixels than its header"),
        (file(IHDR, png_chunk(b"IDAT", zlib.compress(ROWS)[:40])), "fewer pixels than its header"),
        (file(IHDR, png_chunk(b"IDAT", ROWS)), "do not inflate"),
        (file(IHDR, pixels_chunk(BAD_FILTER)), "an unknown filter"),
        (file(IHDR, png_chunk(b"CgBI", b""), IDAT), "a chunk b'CgBI'"),
        (file(IHDR, IDAT, png_chunk(b"tEXt", b""), IDAT), "between its IDAT chunks"),
        (file(IHDR[:-1] + b"?", IDAT), "checksum of a chunk b'IHDR'"),
        (file(IHDR, IDAT[:-1] + b"?"), "checksum of a chunk b'IDAT'"),
        (file(header(9, 7, 3), IDAT), "a palette of 0 bytes"),
        (file(header(9, 7, 3), IDAT, png_chunk(b"PLTE", bytes(768))), "a palette of 0 bytes"),
        (file(header(9, 7, 3), png_chunk(b"PLTE", bytes(4)), IDAT), "a palette of 4 bytes"),
        (
            file(header(9, 7, 3), png_chunk(b"PLTE", bytes(6))[:-1] + b"?", IDAT),
            "checksum of a chunk b'PLTE'",
        ),
    ],
)
def test_damage_is_found_before_libpng_sees_it(
    content: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert reason in refusal(content)
    assert capfd.readouterr().err == ""


def test_a_chunk_that_claims_4_gib_is_refused() -> None:
    content = SIGNATURE + IHDR + struct.pack(">I4s", (1 << 32) - 1, b"IDAT") + IDAT
    assert "of a PNG of at least 4294967340" in refusal(content)


def test_a_photograph_of_many_chunks() -> None:
    base = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    photograph = cv2.resize(base, (640, 480), interpolation=cv2.INTER_CUBIC)
    content = encoded(photograph.astype(np.uint8), ".png")
    assert content.count(b"IDAT") > 10
    np.testing.assert_array_equal(pixels(content), photograph)


@pytest.mark.parametrize(
    ("colour", "depth", "interlace", "pixel_bytes"),
    [(0, 8, 0, 1), (2, 8, 0, 3), (6, 8, 1, 4), (6, 16, 1, 8)],
)
def test_a_turn_is_taken_for_large_images_only(
    monkeypatch: pytest.MonkeyPatch, colour: int, depth: int, interlace: int, pixel_bytes: int
) -> None:
    """Large in memory: the rows with their filters, and six bytes for each decoded pixel."""
    side = 64
    rows = random_rows(side, side, colour, depth, interlace)
    content = file(header(side, side, colour, depth, interlace), pixels_chunk(rows))
    turns: list[int] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append(len(rows))
        yield

    size = len(rows) + 6 * side * side
    assert len(rows) >= pixel_bytes * side * side
    monkeypatch.setattr(encoded_image, "_LARGE_BYTES", size)
    decode_image(content, limits=None, large=turn())
    assert turns == []
    monkeypatch.setattr(encoded_image, "_LARGE_BYTES", size - 1)
    decode_image(content, limits=None, large=turn())
    assert turns == [len(rows)]
