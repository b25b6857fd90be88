"""Image files with damaged data: found, unless the format cannot tell."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from tests.reference.hostile_images import jpeg_of_scans
from tests.reference.image_files import encoded, riff_chunk, webp_file, with_exif

NOISE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
PIXELS = cv2.resize(NOISE, (301, 203), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
JPEGS = {
    "baseline": encoded(PIXELS, ".jpg"),
    "progressive": encoded(PIXELS, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encoded(PIXELS, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    "grey": encoded(PIXELS[..., 0], ".jpg"),
}
BASELINE = JPEGS["baseline"]
END = b"\xff\xd9"

every_jpeg = pytest.mark.parametrize("content", JPEGS.values(), ids=JPEGS)
in_full_or_reduced = pytest.mark.parametrize("side", [1000, 40, 10], ids=["full", "half", "eighth"])


def decode(content: bytes, side: int = 1000) -> NDArray[np.uint8]:
    return decode_image(content, limits=None, needed=lambda _: Size(side, side)).pixels


def refusal(content: bytes, side: int = 1000) -> str:
    with pytest.raises(InvalidImageError) as caught:
        decode(content, side)
    assert caught.value.reason == "IMAGE_UNDECODABLE"
    return str(caught.value)


def after_header(jpeg: bytes) -> int:
    """The first byte of the first scan's data."""
    scan = jpeg.index(b"\xff\xda")
    return scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4])


@every_jpeg
@in_full_or_reduced
def test_a_jpeg_that_is_cut_short_is_refused_although_it_has_an_end(
    content: bytes, side: int
) -> None:
    start = after_header(content)
    for share in (0.0, 0.3, 0.6, 0.9):
        cut = content[: int(start + share * (len(content) - start))]
        assert "a damaged JPEG: " in refusal(cut + END, side)


@every_jpeg
def test_a_jpeg_of_which_a_part_is_lost_is_refused(content: bytes) -> None:
    middle = (after_header(content) + len(content)) // 2
    for lost in (b"", bytes(1024), b"\xff" * 1024, b"\xaa" * 1024):
        damaged = content[:middle] + lost + content[middle + 1024 :]
        assert len(damaged) < len(content) or damaged != content
        refusal(damaged)


def test_a_restart_that_is_missing_is_refused() -> None:
    content = JPEGS["restarts"]
    first, second = (content.index(bytes((0xFF, marker))) for marker in (0xD0, 0xD1))
    assert "Corrupt JPEG data" in refusal(content[:first] + content[second:])


@every_jpeg
@in_full_or_reduced
def test_a_jpeg_that_a_camera_filled_up_is_decoded(content: bytes, side: int) -> None:
    wanted = decode(content, side)
    for filling in (b"\0", bytes(600), b"\x12" * 600):
        np.testing.assert_array_equal(decode(content[:-2] + filling + END, side), wanted)
    np.testing.assert_array_equal(decode(content + bytes(600), side), wanted)


@every_jpeg
def test_metadata_that_is_damaged_is_ignored(content: bytes) -> None:
    profile = b"ICC_PROFILE\0\5\2" + bytes(30)
    segment = b"\xff\xe2" + struct.pack(">H", len(profile) + 2) + profile
    comment = b"\xff\xfe\0\7salve"
    first = 4 + int.from_bytes(content[4:6])  # after the JFIF segment
    for more in (segment, comment, b"more bytes", b"\xff\0\xff\xff"):
        changed = content[:first] + more + content[first:]
        np.testing.assert_array_equal(decode(changed), decode(content))
    np.testing.assert_array_equal(decode(with_exif(content, b"damaged")), decode(content))


@every_jpeg
def test_headers_that_the_decoder_warns_of_do_no_harm(content: bytes) -> None:
    revised = content.replace(b"JFIF\0\1", b"JFIF\0\7")
    assert revised != content
    np.testing.assert_array_equal(decode(revised), decode(content))


def test_the_spectrum_of_a_baseline_scan_does_not_matter() -> None:
    start = after_header(BASELINE)
    changed = BASELINE[: start - 2] + b"\0" + BASELINE[start - 1 :]
    np.testing.assert_array_equal(decode(changed), decode(BASELINE))


@pytest.mark.parametrize("sampling", [0x11, 0x22, 0x31, 0x42])
def test_every_sampling_of_colours_is_decoded(sampling: int) -> None:
    content = jpeg_of_scans(3, side=48, sampling=sampling)
    assert decode(content).shape == (48, 48, 3)
    assert (decode(content) == 128).all()


def with_length(webp: bytes, length: int) -> bytes:
    """The first bytes of a WebP of one chunk, as a file of that length."""
    return webp_file(riff_chunk(webp[12:16], webp[20:length]))


@pytest.mark.parametrize("quality", [80, 101], ids=["lossy", "lossless"])
def test_a_webp_that_is_cut_short_is_refused_although_its_lengths_are_right(quality: int) -> None:
    content = encoded(PIXELS, ".webp", cv2.IMWRITE_WEBP_QUALITY, quality)
    length = 20 + int.from_bytes(content[16:20], "little")
    np.testing.assert_array_equal(decode(with_length(content, length)), decode(content))
    for share in (0.3, 0.6, 0.9):
        refusal(with_length(content, int(share * length)))


@pytest.mark.parametrize("extension", [".png", ".bmp"])
def test_a_png_or_bmp_that_is_cut_short_is_refused(extension: str) -> None:
    content = encoded(PIXELS, extension)
    for share in (0.3, 0.6, 0.9):
        cut = content[: int(share * len(content))]
        refusal(cut)
        refusal(cut + content[-12:])
