"""Orientations that image files note for viewers."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.geometry import Size
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.exif import orientation_from_exif
from posewire_server.image.frame import Frame, frame_from_proto
from posewire_server.image.limits import ImageLimits
from posewire_server.image.orientation import UPRIGHT
from posewire_server.image.region import PixelBox, RegionOfInterest
from tests.reference.image_files import (
    encoded,
    exif,
    png_chunk,
    riff_chunk,
    stored,
    webp_file,
    with_exif,
    with_orientation,
)

LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000)
SMALL = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
PIXELS = cv2.resize(SMALL, (301, 203), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
LOSSLESS = [".png", ".webp"]
APPLY, IGNORE = image_pb2.ORIENTATION_POLICY_APPLY, image_pb2.ORIENTATION_POLICY_IGNORE

every_orientation = pytest.mark.parametrize("orientation", range(1, 9))


def photo(orientation: int, extension: str = ".png", *, order: str = ">") -> bytes:
    """A file that a viewer shows as PIXELS."""
    return with_orientation(
        encoded(stored(PIXELS, orientation), extension), orientation, order=order
    )


def frame_of(
    content: bytes, policy: int = APPLY, *, region: RegionOfInterest | None = None
) -> Frame:
    image = image_pb2.EncodedImage(data=content)
    image.orientation_policy = policy  # type: ignore[assignment]
    return frame_from_proto(image_pb2.Image(encoded=image), limits=LIMITS, region=region)


def shown(content: bytes) -> NDArray[np.uint8]:
    return frame_of(content).oriented_pixels()


@every_orientation
@pytest.mark.parametrize("extension", LOSSLESS)
@pytest.mark.parametrize("order", [">", "<"])
def test_a_photo_is_shown_upright(orientation: int, extension: str, order: str) -> None:
    frame = frame_of(photo(orientation, extension, order=order))
    assert (frame.width, frame.height) == (301, 203)
    assert frame.part == PixelBox(0, 0, 301, 203)
    np.testing.assert_array_equal(frame.oriented_pixels(), PIXELS)


@every_orientation
@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_a_photo_is_shown_as_opencv_shows_it(orientation: int, extension: str) -> None:
    content = photo(orientation, extension)
    wanted = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert wanted.shape == PIXELS.shape
    np.testing.assert_array_equal(shown(content), wanted)


@every_orientation
@pytest.mark.parametrize("policy", [image_pb2.ORIENTATION_POLICY_UNSPECIFIED, IGNORE])
def test_without_the_policy_pixels_are_those_stored(orientation: int, policy: int) -> None:
    frame = frame_of(photo(orientation), policy)
    wanted = stored(PIXELS, orientation)
    assert (frame.height, frame.width) == wanted.shape[:2]
    assert frame.orientation == UPRIGHT
    np.testing.assert_array_equal(frame.oriented_pixels(), wanted)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InvalidImageError, match=r"orientation_policy: got 3, want") as caught:
        frame_of(photo(6), 3)
    assert caught.value.reason == "FIELD_INVALID"


@every_orientation
def test_a_region_lies_in_the_image_that_is_shown(orientation: int) -> None:
    frame = frame_of(photo(orientation), region=RegionOfInterest(13, 100.5, 49, 190))
    assert (frame.width, frame.height) == (301, 203)
    assert frame.part == PixelBox(13, 101, 37, 90)
    np.testing.assert_array_equal(frame.oriented_pixels(), PIXELS[101:191, 13:50])
    assert frame.pixels.base is not None, "a view"


@every_orientation
def test_the_size_that_is_needed_is_that_of_the_image_shown(orientation: int) -> None:
    asked: list[Size] = []

    def tell(size: Size) -> Size:
        asked.append(size)
        return Size(75, 50)

    decoded = decode_image(
        photo(orientation, ".jpg"), limits=LIMITS, needed=tell, apply_orientation=True
    )
    assert asked == [Size(301, 203)]
    assert decoded.reduction == 4
    assert Frame.decoded(decoded).oriented_pixels().shape == (51, 76, 3)


@pytest.mark.parametrize("extension", [".jpg", *LOSSLESS])
def test_the_prefix_of_jpegs_is_allowed_elsewhere(extension: str) -> None:
    content = with_exif(encoded(stored(PIXELS, 6), extension), b"Exif\0\0" + exif(6))
    assert frame_of(content).orientation.swaps_sides == (extension != ".jpg")


@pytest.mark.parametrize("extension", [".jpg", *LOSSLESS, ".bmp"])
def test_files_without_metadata_are_upright(extension: str) -> None:
    frame = frame_of(encoded(PIXELS, extension))
    assert (frame.orientation, frame.width, frame.height) == (UPRIGHT, 301, 203)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MM",
        b"II\0*" + exif(6)[4:],
        b"XX\0*" + exif(6)[4:],
        exif(6)[:12],
        exif(6)[:30],
        exif(0),
        exif(9),
        exif(0xFFFF),
        exif(6, kind=4),
        exif(6, count=2),
        b"MM\0*" + struct.pack(">I", 0xFFFF_FFFF),
        b"MM\0*" + struct.pack(">IH", 8, 0xFFFF),
        b"MM\0*" + struct.pack(">IH", 8, 0xFFFF) + bytes(12 * 0xFFFF),
        b"MM\0*" + struct.pack(">IH", 8, 0),
    ],
    ids=range(15),
)
@pytest.mark.parametrize("extension", [".jpg", *LOSSLESS])
def test_damaged_metadata_is_no_orientation_and_no_error(content: bytes, extension: str) -> None:
    file = encoded(SMALL, extension)
    if extension != ".jpg" or len(content) < 0xFFF0:
        assert frame_of(with_exif(file, content)).orientation == UPRIGHT


def test_a_png_chunk_with_a_wrong_checksum_is_no_orientation() -> None:
    content = bytearray(photo(6))
    content[content.index(b"eXIf") + 4 + len(exif(6))] ^= 1
    assert frame_of(bytes(content)).orientation == UPRIGHT


def test_a_png_may_have_its_metadata_after_the_pixels() -> None:
    file = encoded(stored(PIXELS, 6), ".png")
    content = file[:-12] + png_chunk(b"eXIf", exif(6)) + file[-12:]
    np.testing.assert_array_equal(shown(content), PIXELS)


def test_metadata_in_a_webp_needs_its_flag_and_its_place_in_the_file() -> None:
    content = photo(6, ".webp")
    assert frame_of(content).orientation.swaps_sides
    unflagged = content[:20] + b"\0" + content[21:]
    outside = content[:4] + struct.pack("<I", len(content) - 10) + content[8:]
    padded = riff_chunk(b"none", b"") * 20
    beyond = webp_file(content[12 : -8 - len(exif(6))] + padded + riff_chunk(b"EXIF", exif(6)))
    cut = webp_file(content[12:] + b"EXIF\xff\xff\xff\xff")
    for each in (unflagged, outside, beyond):
        assert frame_of(each).orientation == UPRIGHT
    assert frame_of(cut).orientation.swaps_sides


def test_the_first_metadata_of_a_jpeg_counts() -> None:
    content = with_orientation(with_orientation(encoded(PIXELS, ".jpg"), 3), 6)
    assert frame_of(content).orientation.swaps_sides
    other = with_exif(encoded(PIXELS, ".jpg"), exif(6)).replace(b"Exif\0\0", b"http:/")
    assert frame_of(other).orientation == UPRIGHT


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_any_metadata_is_read_without_an_error(data: st.DataObject) -> None:
    order = data.draw(st.sampled_from("<>"))
    content = bytearray(exif(data.draw(st.integers(0, 0xFFFF)), order=order))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    turned = orientation_from_exif(memoryview(bytes(content))).swap(Size(2, 1))
    assert turned in (Size(2, 1), Size(1, 2))
