from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.header import ImageHeader, read_header
from tests.reference.image_files import CMYK_JPEG, encoded, png, webp, with_orientation

PIXELS = np.random.default_rng(0).integers(0, 256, (203, 301, 3), dtype=np.uint8)
SMALL = PIXELS[:7, :9]
LOSSY_WEBP = (64, 80)  # IMWRITE_WEBP_QUALITY
PROGRESSIVE = (2, 1)  # IMWRITE_JPEG_PROGRESSIVE

fuzzing = settings(max_examples=500, deadline=None, derandomize=True, database=None)


def jpeg_frame(width: int, height: int, *, marker: int = 0xC0, components: int = 1) -> bytes:
    lengths = struct.pack(">HBHHB", 8 + 3 * components, 8, height, width, components)
    return bytes((0xFF, marker)) + lengths + b"\1\x11\0" * components


def jpeg_scan(components: int = 1) -> bytes:
    length = struct.pack(">HB", 6 + 2 * components, components)
    return b"\xff\xda" + length + b"\1\0" * components + b"\0\x3f\0"


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xd9"


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<IiiHH", 40, width, height, 1, 24) + bytes(24)


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidImageError) as caught:
        read_header(content)
    assert caught.value.violations[0].field == "image.encoded.data"
    assert caught.value.reason == "IMAGE_UNDECODABLE"
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (encoded(PIXELS, ".jpg"), "JPEG"),
        (encoded(PIXELS, ".jpg", *PROGRESSIVE), "JPEG"),
        (encoded(PIXELS[..., 0], ".jpg"), "JPEG"),
        (with_orientation(encoded(PIXELS, ".jpg"), 6), "JPEG"),
        (encoded(PIXELS, ".png"), "PNG"),
        (encoded(PIXELS.astype(np.uint16), ".png"), "PNG"),
        (encoded(PIXELS, ".webp"), "WebP"),
        (encoded(PIXELS, ".webp", *LOSSY_WEBP), "WebP"),
        (encoded(PIXELS, ".bmp"), "BMP"),
    ],
)
def test_files_as_they_are_written(content: bytes, name: str) -> None:
    assert read_header(content) == ImageHeader(name, Size(301, 203))


def test_a_jpeg_of_four_inks() -> None:
    assert read_header(CMYK_JPEG) == ImageHeader("JPEG", Size(16, 16))


@pytest.mark.parametrize(
    "before",
    [b"", b"\xff" * 20, b"\xff\xe0\0\2" * 200, b"padding", b"\xff\xd0\xff\x01", b"\xff\xfe\0\0"],
    ids=["nothing", "fill", "segments", "garbage", "no length", "length 0"],
)
def test_what_may_come_before_a_jpegs_frame(before: bytes) -> None:
    content = jpeg(b"\xff\xe0\0\2", before, jpeg_frame(640, 480), before, jpeg_scan())
    assert read_header(content).size == Size(640, 480)


def test_a_thumbnail_inside_a_jpeg_is_not_its_frame() -> None:
    thumbnail = jpeg(jpeg_frame(16, 12), jpeg_scan())
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    content = jpeg(segment, jpeg_frame(640, 480), jpeg_scan())
    assert read_header(content).size == Size(640, 480)
    assert "without an end-of-image marker" in refusal(content[:-2])


@pytest.mark.parametrize(
    ("frame", "scan"),
    [
        (jpeg_frame(9, 9, marker=0xC2), jpeg_scan()),
        (jpeg_frame(9, 9, marker=0xCA), jpeg_scan()),
        (jpeg_frame(9, 9, components=3), jpeg_scan()),
    ],
    ids=["progressive", "progressive arithmetic", "component by component"],
)
def test_scans_that_each_pass_over_the_whole_image_are_limited(frame: bytes, scan: bytes) -> None:
    assert read_header(jpeg(frame, scan * 100)).size == Size(9, 9)
    assert "got a JPEG of 101 scans, want at most 100" in refusal(jpeg(frame, scan * 101))


def test_scans_after_the_only_one_that_is_read_do_not_count() -> None:
    assert read_header(jpeg(jpeg_frame(9, 9), jpeg_scan() * 101)).size == Size(9, 9)


@pytest.mark.parametrize(
    ("chunk", "size"),
    [
        (webp(b"VP8X", bytes(4) + b"\xff\xff\xff" + b"\0\0\1"), Size(1 << 24, (1 << 16) + 1)),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14 | 1 << 28)), Size(640, 480)),
        # The two bits above the width ask for scaling on display.
        (
            webp(b"VP8 ", b"\0\0\0\x9d\1\x2a" + struct.pack("<HH", 640 | 1 << 14, 480)),
            Size(640, 480),
        ),
    ],
    ids=["extended", "lossless", "lossy"],
)
def test_the_chunks_that_webp_may_begin_with(chunk: bytes, size: Size) -> None:
    assert read_header(chunk).size == size


def test_the_two_headers_and_two_directions_of_bmp() -> None:
    assert read_header(bmp(640, 480)).size == Size(640, 480)
    assert read_header(bmp(640, -480)).size == Size(640, 480)
    old = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 640, 480, 1, 24)
    assert read_header(old).size == Size(640, 480)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"GIF89a" + bytes(20), "begins like GIF"),
        (b"II*\0" + bytes(20), "begins like TIFF"),
        (b"MM\0*" + bytes(20), "begins like TIFF"),
        (bytes(3) + b" ftypavif" + bytes(20), "begins like HEIF, AVIF or MP4"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "begins like JPEG 2000"),
        (b"%PDF-1.4", "begins like PDF"),
        (
            b"RIFF\4\0\0\0WAVE",
            r"12 bytes of no known format, beginning with 52 49 46 46 04 00 00 00",
        ),
        (b"no image", "8 bytes of no known format, beginning with 6e 6f 20 69 6d 61 67 65"),
        (b"\xff\xd8", "2 bytes of no known format, beginning with ff d8"),
    ],
)
def test_other_formats_are_refused_by_name(content: bytes, name: str) -> None:
    message = refusal(content)
    assert name in message
    assert "want a JPEG, PNG, WebP or BMP file" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (jpeg(), "begins or ends a second time"),
        (jpeg(jpeg_frame(9, 9)), "begins or ends a second time"),
        (jpeg(b"\xff\xd8", jpeg_frame(9, 9), jpeg_scan()), "begins or ends a second time"),
        (jpeg(jpeg_scan()), "without a frame header before its first scan"),
        (jpeg(b"\xff\xc4\0\2\xff\xc8\0\2\xff\xcc\0\2", jpeg_scan()), "without a frame header"),
        (b"\xff\xd8\xff\xe0\0\2" + bytes(99), "without a scan"),
        (b"\xff\xd8" + b"\xff" * 10**6, "more than 1000 markers"),
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 10**6, "more than 1000 markers"),
        (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND" + bytes(20), "does not begin with its header"),
        (webp(b"VP8L", b"\x2e" + bytes(20)), "damaged or unknown b'VP8L'"),
        (webp(b"VP8 ", bytes(20)), "damaged or unknown b'VP8 '"),
        (webp(b"ALPH", bytes(20)), "damaged or unknown b'ALPH'"),
        (b"BM" + bytes(12) + struct.pack("<I", 16) + bytes(40), "header of 16 bytes"),
    ],
)
def test_damaged_headers(content: bytes, reason: str) -> None:
    assert reason in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        jpeg(jpeg_frame(0, 480), jpeg_scan()),
        jpeg(jpeg_frame(640, 0), jpeg_scan()),
        png(0, 480, b"", colour=0),
        png(640, 0, b"", colour=0),
        webp(b"VP8 ", b"\0\0\0\x9d\1\x2a" + struct.pack("<HH", 0, 480)),
        bmp(0, 480),
        bmp(640, 0),
        bmp(-640, 480),
    ],
)
def test_images_without_pixels(content: bytes) -> None:
    assert "want at least 1x1" in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        encoded(SMALL, ".jpg"),
        encoded(SMALL, ".png"),
        encoded(SMALL, ".webp"),
        encoded(SMALL, ".webp", *LOSSY_WEBP),
        webp(b"VP8X", bytes(10)),
        bmp(9, 7)[:26],
    ],
    ids=["jpeg", "png", "lossless webp", "lossy webp", "extended webp", "header of bmp"],
)
def test_files_that_end_early(content: bytes) -> None:
    read_header(content)
    for end in range(len(content)):
        refusal(content[:end])


BEGINNINGS = [
    b"\xff\xd8\xff",
    b"\xff\xd8" + jpeg_frame(5, 5),
    b"\xff\xd8" + jpeg_frame(5, 5, marker=0xC2) + jpeg_scan(),
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
    webp(b"VP8 ", b"")[:20],
    webp(b"VP8L", b"")[:20],
    webp(b"VP8X", b"")[:20],
    b"BM",
    b"BM" + bytes(12) + b"\x28\0\0\0",
]
MARKERS = st.sampled_from(
    [b"\xff", b"\xff\xd8", b"\xff\xd9", b"\xff\xe1\0", jpeg_scan(), b"IEND\xaeB`\x82"]
)


@fuzzing
@given(
    beginning=st.sampled_from(BEGINNINGS),
    rest=st.lists(st.binary(max_size=12) | MARKERS | st.just(jpeg_frame(3, 2)), max_size=12),
)
def test_whatever_follows_a_known_beginning_is_read_or_refused(
    beginning: bytes, rest: list[bytes]
) -> None:
    refused = ""
    try:
        size = read_header(beginning + b"".join(rest)).size
    except InvalidImageError as error:
        refused = str(error)
    assert len(refused) < 300
    assert refused or min(size) >= 1
