from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.header import ImageHeader, read_header
from tests.reference.image_files import (
    CMYK_JPEG,
    encoded,
    png,
    png_chunk,
    webp,
    webp_file,
    with_orientation,
)

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


def bmp(width: int, height: int, *, depth: int = 24, compression: int = 0) -> bytes:
    header = struct.pack("<IiiHHI20x", 40, width, height, 1, depth, compression)
    rows = (abs(width) * depth + 31) // 32 * 4 * abs(height)
    return b"BM" + struct.pack("<8xI", 14 + len(header)) + header + bytes(rows)


def old_bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IHHHH", 12, width, height, 1, 24)
    return b"BM" + struct.pack("<8xI", 26) + header + bytes((width * 3 + 3) // 4 * 4 * height)


def extended_webp(width: int, height: int, *chunks: bytes, flags: int = 0) -> bytes:
    sides = b"".join(struct.pack("<I", side - 1)[:3] for side in (width, height))
    canvas = b"VP8X" + struct.pack("<IB3x", 10, flags) + sides
    return webp_file(canvas + b"".join(chunks))


def lossless_frame(width: int, height: int) -> bytes:
    bits = width - 1 | height - 1 << 14
    return b"VP8L" + struct.pack("<IBIx", 5, 0x2F, bits)


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
        (jpeg_frame(9, 9, components=3), jpeg_scan()),
    ],
    ids=["progressive", "component by component"],
)
def test_scans_that_each_pass_over_the_whole_image_are_limited(frame: bytes, scan: bytes) -> None:
    assert read_header(jpeg(frame, scan * 32)).size == Size(9, 9)
    assert "got a JPEG of 33 scans, want at most 32" in refusal(jpeg(frame, scan * 33))


def test_scans_are_counted_wherever_they_lie() -> None:
    frame, scan = jpeg_frame(9, 9, marker=0xC2), jpeg_scan()
    for gap in ((1 << 20) - 5, (1 << 20) - 4, 1 << 20, 3 << 20):
        assert "got a JPEG of 33 scans" in refusal(jpeg(frame, scan * 32, bytes(gap), scan))


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF])
def test_lossless_hierarchical_and_arithmetic_jpegs_are_refused(marker: int) -> None:
    content = jpeg(jpeg_frame(9, 9, marker=marker), jpeg_scan())
    assert f"got a JPEG of the kind SOF{marker - 0xC0}" in refusal(content)


def test_jpegs_of_12_bits_and_of_other_components_are_refused() -> None:
    deep = jpeg(jpeg_frame(9, 9), jpeg_scan()).replace(b"\0\x0b\x08", b"\0\x0b\x0c")
    assert "1 components with 12 bits" in refusal(deep)
    for components in (2, 5, 10):
        content = jpeg(jpeg_frame(9, 9, components=components), jpeg_scan())
        assert f"{components} components with 8 bits" in refusal(content)


@pytest.mark.parametrize("tail", [b"", bytes(1000), bytes(3 << 20), b"\xff" * 10])
def test_other_bytes_may_follow_the_end_of_a_jpeg(tail: bytes) -> None:
    assert read_header(jpeg(jpeg_frame(9, 9), jpeg_scan()) + tail).size == Size(9, 9)


@pytest.mark.parametrize("filling", [b"\xff\xd8", b"\xff\xff", b"\xff\0"])
def test_what_a_jpeg_is_filled_with_makes_no_difference_to_the_time(filling: bytes) -> None:
    beginning = b"\xff\xd8" + jpeg_frame(9, 9, marker=0xC2) + jpeg_scan()

    def secs(filling: bytes) -> float:
        content = beginning + filling * (8 << 20) + b"\xff\xd9"
        times = []
        for _ in range(3):
            started = time.thread_time()
            read_header(content)
            times.append(time.thread_time() - started)
        return min(times)

    assert secs(filling) < 5 * secs(b"\0\1")


def test_scans_after_the_only_one_that_is_read_do_not_count() -> None:
    assert read_header(jpeg(jpeg_frame(9, 9), jpeg_scan() * 101)).size == Size(9, 9)


@pytest.mark.parametrize(
    ("chunk", "size"),
    [
        (extended_webp(1 << 14, 9, lossless_frame(1 << 14, 9)), Size(1 << 14, 9)),
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


def test_a_canvas_of_another_size_than_its_frame_is_refused() -> None:
    content = extended_webp(1 << 24, 1 << 16, lossless_frame(4, 3))
    assert "a WebP frame of 4x3 pixels on a canvas of 16777216x65536" in refusal(content)


def test_animated_webp_is_refused() -> None:
    assert "an animated WebP" in refusal(extended_webp(4, 3, lossless_frame(4, 3), flags=2))


def test_a_webp_may_have_15_chunks_before_its_frame() -> None:
    other = b"ICCP" + struct.pack("<I", 1) + bytes(2)  # padded to two bytes
    assert read_header(extended_webp(4, 3, *[other] * 14, lossless_frame(4, 3))).size == Size(4, 3)
    many = extended_webp(4, 3, *[other] * 15, lossless_frame(4, 3))
    assert "more than 16 chunks before its image" in refusal(many)


def test_the_two_headers_and_two_directions_of_bmp() -> None:
    assert read_header(bmp(640, 480)).size == Size(640, 480)
    assert read_header(bmp(640, -480)).size == Size(640, 480)
    assert read_header(old_bmp(641, 480)).size == Size(641, 480)


@pytest.mark.parametrize(
    ("depth", "compression"), [(8, 1), (4, 2), (24, 3), (24, 4), (24, 5), (32, 6), (2, 0), (0, 0)]
)
def test_compressed_bmps_and_unknown_depths_are_refused(depth: int, compression: int) -> None:
    content = bmp(64, 48, depth=depth, compression=compression)
    assert f"a BMP of {depth} bits a pixel with compression {compression}" in refusal(content)


@pytest.mark.parametrize(
    "content", [bmp(63, 48), bmp(63, -48), old_bmp(63, 48), bmp(3, 2, depth=1)]
)
def test_a_bmp_without_its_last_byte_is_refused(content: bytes) -> None:
    assert f"{len(content) - 1} bytes of a BMP of {len(content)}" in refusal(content[:-1])


@pytest.mark.parametrize(
    ("depth", "colour", "methods"),
    [
        (16, 3, b"\0\0\0"),
        (4, 2, b"\0\0\0"),
        (8, 1, b"\0\0\0"),
        (8, 7, b"\0\0\0"),
        (0, 0, b"\0\0\0"),
        (8, 0, b"\1\0\0"),
        (8, 0, b"\0\1\0"),
        (8, 0, b"\0\0\2"),
    ],
)
def test_pngs_outside_the_specification_are_refused(
    depth: int, colour: int, methods: bytes
) -> None:
    header = struct.pack(">IIBB", 9, 7, depth, colour) + methods
    content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IEND", b"")
    assert f"a PNG of colour type {colour}, depth {depth}" in refusal(content)


def test_a_png_has_a_limited_number_of_chunks() -> None:
    content = png(9, 7, b"", colour=0)
    end = content.index(b"IEND") - 4
    filled = content[:end] + png_chunk(b"tEXt", b"") * ((1 << 14) - 3) + content[end:]
    assert read_header(filled).size == Size(9, 7)
    more = content[:end] + png_chunk(b"tEXt", b"") * ((1 << 14) - 2) + content[end:]
    assert "a PNG with more than 16384 chunks" in refusal(more)


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
        (jpeg(), "a second start or an end"),
        (jpeg(jpeg_frame(9, 9)), "a second start or an end"),
        (jpeg(b"\xff\xd8", jpeg_frame(9, 9), jpeg_scan()), "a second start or an end"),
        (jpeg(jpeg_scan()), "without a frame header before its first scan"),
        (jpeg(b"\xff\xc4\0\2\xff\xc8\0\2\xff\xcc\0\2", jpeg_scan()), "without a frame header"),
        (b"\xff\xd8\xff\xe0\0\2" + bytes(99), "without a scan"),
        (b"\xff\xd8" + b"\xff" * 10**6, "more than 1000 markers"),
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 10**6, "more than 1000 markers"),
        (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND" + bytes(20), "does not begin with its header"),
        (webp(b"VP8L", b"\x2e" + bytes(20)), "damaged or unknown b'VP8L'"),
        (webp(b"VP8 ", bytes(20)), "damaged or unknown b'VP8 '"),
        (extended_webp(9, 7, lossless_frame(9, 7).replace(b"\x2f", b"\x2e")), "unknown b'VP8L'"),
        (webp(b"ALPH", bytes(20)), "damaged or unknown b'ALPH'"),
        (b"BM" + bytes(12) + struct.pack("<I", 16) + bytes(40), "header of 16 bytes"),
        (b"BM" + bytes(12) + struct.pack("<I", 125) + bytes(200), "header of 125 bytes"),
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
        extended_webp(9, 7, lossless_frame(9, 7)),
        bmp(9, 7),
    ],
    ids=["jpeg", "png", "lossless webp", "lossy webp", "extended webp", "bmp"],
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
