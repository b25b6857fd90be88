from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits
from tests.reference.image_files import CMYK_JPEG, encoded, png, with_orientation

LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000)
PIXELS = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
SMOOTH = cv2.resize(PIXELS, (301, 203), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
LOSSY_WEBP = (cv2.IMWRITE_WEBP_QUALITY, 80)
LOSSLESS = [".png", ".webp", ".bmp"]
SMALL_FILES = {
    "jpeg": encoded(PIXELS, ".jpg"),
    "progressive": encoded(PIXELS, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "png": encoded(PIXELS, ".png"),
    "webp": encoded(PIXELS, ".webp"),
    "lossy webp": encoded(PIXELS, ".webp", *LOSSY_WEBP),
    "bmp": encoded(PIXELS, ".bmp"),
}

every_small_file = pytest.mark.parametrize("content", SMALL_FILES.values(), ids=SMALL_FILES)


def pixels(content: bytes) -> NDArray[np.uint8]:
    return decode_image(content, limits=LIMITS).pixels


def refusal(content: bytes, limits: ImageLimits = LIMITS) -> InvalidImageError:
    with pytest.raises(InvalidImageError, match=r"^image\.encoded\.data: got .*, want ") as caught:
        decode_image(content, limits=limits)
    assert caught.value.violations[0].field == "image.encoded.data"
    return caught.value


@pytest.mark.parametrize("extension", LOSSLESS)
def test_lossless_files_hold_the_pixels(extension: str) -> None:
    decoded = decode_image(encoded(SMOOTH, extension), limits=LIMITS)
    assert (decoded.size, decoded.reduction) == (Size(301, 203), 1)
    np.testing.assert_array_equal(decoded.pixels, SMOOTH)


@pytest.mark.parametrize(
    "content",
    [
        encoded(SMOOTH, ".jpg"),
        encoded(SMOOTH, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(SMOOTH, ".webp", *LOSSY_WEBP),
    ],
    ids=["jpeg", "progressive", "webp"],
)
def test_lossy_files_hold_about_the_pixels(content: bytes) -> None:
    assert np.abs(pixels(content).astype(int) - SMOOTH).mean() < 4


@pytest.mark.parametrize("extension", [".jpg", *LOSSLESS])
def test_grey_images_have_three_equal_channels(extension: str) -> None:
    grey = pixels(encoded(np.full((20, 30), 77, np.uint8), extension))
    np.testing.assert_array_equal(grey, np.full((20, 30, 3), 77))


@pytest.mark.parametrize("extension", LOSSLESS)
def test_transparency_is_ignored(extension: str) -> None:
    clear = np.dstack([SMOOTH, np.full(SMOOTH.shape[:2], 3, np.uint8)])
    np.testing.assert_array_equal(pixels(encoded(clear, extension, 64, 101)), SMOOTH)


def test_of_16_bits_the_upper_8_count() -> None:
    deep = SMOOTH.astype(np.uint16) * 256 + 200
    np.testing.assert_array_equal(pixels(encoded(deep, ".png")), SMOOTH)


def test_palettes_grey_with_alpha_and_single_bits() -> None:
    rgb = bytes((10, 20, 30, 40, 50, 60))
    palette = png(2, 1, b"\0\1\0", colour=3, palette=rgb)
    assert pixels(palette).tolist() == [[[60, 50, 40], [30, 20, 10]]]
    grey_with_alpha = png(2, 1, b"\0\x21\0\x43\x80", colour=4)
    assert pixels(grey_with_alpha).tolist() == [[[0x21] * 3, [0x43] * 3]]
    bits = png(2, 1, b"\0\x40", depth=1, colour=0)
    assert pixels(bits).tolist() == [[[0] * 3, [255] * 3]]


def test_four_inks_become_three_colours() -> None:
    left, right = pixels(CMYK_JPEG)[8, [2, 13]].astype(int)
    np.testing.assert_allclose(left, [0, 0, 255], atol=4)
    np.testing.assert_allclose(right, [127, 127, 0], atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_in_the_metadata_is_not_applied(orientation: int) -> None:
    content = encoded(SMOOTH, ".jpg")
    turned = with_orientation(content, orientation)
    if orientation > 1:
        wanted = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
        assert not np.array_equal(wanted, pixels(content)), "the metadata should be sound"
    np.testing.assert_array_equal(pixels(turned), pixels(content))


@pytest.mark.parametrize(
    ("needed", "reduction", "shape"),
    [
        (Size(301, 203), 1, (203, 301)),
        (Size(151, 101), 1, (203, 301)),
        (Size(150, 102), 1, (203, 301)),
        (Size(150, 101), 2, (102, 151)),
        (Size(76, 50), 2, (102, 151)),
        (Size(75, 50), 4, (51, 76)),
        (Size(37, 25), 8, (26, 38)),
        (Size(1, 1), 8, (26, 38)),
        (Size(600, 1), 1, (203, 301)),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_needed(
    needed: Size, reduction: int, shape: tuple[int, int]
) -> None:
    asked: list[Size] = []

    def tell(size: Size) -> Size:
        asked.append(size)
        return needed

    decoded = decode_image(encoded(SMOOTH, ".jpg"), limits=LIMITS, needed=tell)
    assert asked == [Size(301, 203)]
    assert (decoded.size, decoded.reduction) == (Size(301, 203), reduction)
    assert decoded.pixels.shape == (*shape, 3)


@pytest.mark.parametrize("content", [encoded(SMOOTH[..., 0], ".jpg"), CMYK_JPEG])
def test_every_kind_of_jpeg_can_be_reduced(content: bytes) -> None:
    decoded = decode_image(content, limits=LIMITS, needed=lambda _: Size(4, 4))
    assert decoded.reduction in (4, 8)
    assert decoded.pixels.shape[1] == -(-decoded.size.width // decoded.reduction)


@pytest.mark.parametrize("extension", LOSSLESS)
def test_other_files_are_decoded_in_full(extension: str) -> None:
    decoded = decode_image(encoded(SMOOTH, extension), limits=LIMITS, needed=lambda _: Size(4, 4))
    assert decoded.reduction == 1
    np.testing.assert_array_equal(decoded.pixels, SMOOTH)


def test_no_bytes_are_no_image() -> None:
    error = refusal(b"")
    assert error.reason == "IMAGE_INVALID"
    assert str(error) == "image.encoded.data: got no bytes, want an image file"


@every_small_file
def test_files_that_end_early(content: bytes) -> None:
    assert pixels(content).shape == PIXELS.shape
    for end in range(1, len(content)):
        assert refusal(content[:end]).reason == "IMAGE_UNDECODABLE"


def test_a_damaged_png_is_refused() -> None:
    content = bytearray(encoded(SMOOTH, ".png"))
    content[len(content) // 2] ^= 1
    assert "a damaged PNG: the checksum of a chunk b'IDAT'" in str(refusal(bytes(content)))


def test_bytes_after_the_image_do_no_harm() -> None:
    content = encoded(SMOOTH, ".jpg")
    np.testing.assert_array_equal(pixels(content + bytes(1000)), pixels(content))


def test_a_file_may_be_as_long_as_the_limit() -> None:
    content = encoded(SMOOTH, ".png")
    decode_image(content, limits=ImageLimits(max_bytes=len(content), max_pixels=301 * 203))
    error = refusal(content, ImageLimits(max_bytes=len(content) - 1, max_pixels=301 * 203))
    assert error.reason == "IMAGE_TOO_LARGE"
    assert error.metadata["max_image_bytes"] == str(len(content) - 1)


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the image was decoded")

    monkeypatch.setattr(cv2, "imdecode", fail)


@pytest.mark.usefixtures("undecoded")
def test_a_png_of_900_million_pixels_in_a_kilobyte_is_refused_undecoded() -> None:
    content = png(30_000, 30_000, bytes(800_000), depth=1, colour=0)
    assert len(content) < 1024
    error = refusal(content)
    assert error.reason == "IMAGE_TOO_LARGE"
    assert error.metadata == {
        "got": "30000x30000 = 900000000 pixels",
        "want": "at most 1000000",
        "max_image_pixels": "1000000",
    }


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("extension", [".jpg", *LOSSLESS])
def test_one_pixel_too_many_is_refused_undecoded(extension: str) -> None:
    error = refusal(encoded(SMOOTH, extension), ImageLimits(max_bytes=10**6, max_pixels=61_102))
    assert error.reason == "IMAGE_TOO_LARGE"
    assert error.metadata["max_image_pixels"] == "61102"


@pytest.mark.usefixtures("undecoded")
def test_a_side_too_long_is_refused_undecoded() -> None:
    error = refusal(png(1, 65_536, b"", colour=0))
    assert error.reason == "IMAGE_TOO_LARGE"
    assert error.metadata["max_image_side"] == "65535"
    largest = png((1 << 32) - 1, (1 << 32) - 1, b"", colour=0)
    assert refusal(largest).metadata["max_image_pixels"] == "1000000"


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
@every_small_file
def test_mutated_files_are_decoded_or_refused(content: bytes, data: st.DataObject) -> None:
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(mutated)))
        until = at + data.draw(st.integers(0, 4))
        mutated[at:until] = data.draw(st.binary(max_size=4))
    refused = ""
    try:
        decoded = decode_image(
            bytes(mutated),
            limits=ImageLimits(max_bytes=10_000, max_pixels=10_000),
            needed=lambda size: Size(-(-size.width // 2), -(-size.height // 2)),
        )
    except InvalidImageError as error:
        refused = error.reason
    if refused:
        assert refused in ("IMAGE_INVALID", "IMAGE_UNDECODABLE", "IMAGE_TOO_LARGE")
    else:
        height, width = (-(-side // decoded.reduction) for side in reversed(decoded.size))
        assert decoded.pixels.shape == (height, width, 3)
        assert decoded.pixels.dtype == np.uint8
