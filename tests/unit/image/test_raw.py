from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits
from posewire_server.image.raw import raw_pixels

LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=100_000)
RNG = np.random.default_rng(0)
BGR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (5, 7, 1), dtype=np.uint8)
PACKED = {
    "BGR8": BGR,
    "RGB8": BGR[..., ::-1],
    "BGRA8": np.dstack([BGR, ALPHA]),
    "RGBA8": np.dstack([BGR[..., ::-1], ALPHA]),
}
SUBSAMPLED = ["NV12", "I420"]
BYTES = {"BGR8": 3, "RGB8": 3, "GRAY8": 1, "BGRA8": 4, "RGBA8": 4, "NV12": 1, "I420": 1}


def message(pixel_format: str, data: bytes, **fields: int) -> image_pb2.RawImage:
    number = image_pb2.PixelFormat.Value(f"PIXEL_FORMAT_{pixel_format}")
    return image_pb2.RawImage(data=data, pixel_format=number, **fields)


def padded(plane: NDArray[np.uint8], stride: int) -> bytes:
    """The plane's rows, each filled up with noise."""
    rows = plane.reshape(len(plane), -1)
    filled = RNG.integers(0, 256, (len(rows), stride), dtype=np.uint8)
    filled[:, : rows.shape[1]] = rows
    return filled.tobytes()


def fields_of(**fields: Any) -> dict[str, Any]:
    """A sound image of 4x2 pixels but for `fields`."""
    sound = {
        "width": 4,
        "height": 2,
        "pixel_format": image_pb2.PIXEL_FORMAT_BGR8,
        "data": b"x" * 24,
    }
    return sound | fields


def refusal(image: image_pb2.RawImage, limits: ImageLimits = LIMITS) -> InvalidImageError:
    with pytest.raises(InvalidImageError, match=r"^image\.raw.*: got .*, want ") as caught:
        raw_pixels(image, limits=limits)
    assert str(caught.value).startswith(f"{caught.value.violations[0].field}: ")
    return caught.value


@pytest.mark.parametrize("padding", [None, 0, 1, 11])
@pytest.mark.parametrize("pixel_format", PACKED)
def test_packed_pixels_of_four_layouts(pixel_format: str, padding: int | None) -> None:
    sent = PACKED[pixel_format]
    unpadded = 7 * sent.shape[2]
    stride = {} if padding is None else {"row_stride_bytes": unpadded + padding}
    data = padded(sent, unpadded + (padding or 0))
    image = message(pixel_format, data, width=7, height=5, **stride)
    np.testing.assert_array_equal(raw_pixels(image, limits=LIMITS), BGR)


@pytest.mark.parametrize("stride", [7, 20])
def test_grey_has_three_equal_channels(stride: int) -> None:
    grey = BGR[..., 0]
    image = message("GRAY8", padded(grey, stride), width=7, height=5, row_stride_bytes=stride)
    wanted = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(raw_pixels(image, limits=LIMITS), wanted)


@dataclass(frozen=True, slots=True)
class Planes:
    luma: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]

    @classmethod
    def random(cls, width: int, height: int) -> Planes:
        half = (height // 2, width // 2)
        luma = RNG.integers(16, 236, (height, width), dtype=np.uint8)
        u, v = RNG.integers(16, 241, (2, *half), dtype=np.uint8)
        return cls(luma, u, v)

    def sent(self, pixel_format: str, stride: int) -> image_pb2.RawImage:
        data = padded(self.luma, stride)
        if pixel_format == "NV12":
            data += padded(np.stack([self.u, self.v], axis=2), stride)
        else:
            data += padded(self.u, stride // 2) + padded(self.v, stride // 2)
        height, width = self.luma.shape
        return message(pixel_format, data, width=width, height=height, row_stride_bytes=stride)

    def in_bgr(self) -> NDArray[np.float64]:
        """By BT.601's weights of red and blue in luma, for the limited range."""
        red, blue = 0.299, 0.114
        y = (self.luma - 16.0) / 219
        b, r = (np.repeat(np.repeat((c - 128.0) / 112, 2, 0), 2, 1) for c in (self.u, self.v))
        b, r = y + (1 - blue) * b, y + (1 - red) * r
        g = (y - red * r - blue * b) / (1 - red - blue)
        return np.clip(255 * np.stack([b, g, r], axis=2), 0, 255)


@pytest.mark.parametrize("padding", [0, 2, 26])
@pytest.mark.parametrize(("width", "height"), [(2, 2), (6, 4), (10, 6), (2, 8), (34, 2)])
@pytest.mark.parametrize("pixel_format", SUBSAMPLED)
def test_subsampled_pixels_become_those_of_bt_601(
    pixel_format: str, width: int, height: int, padding: int
) -> None:
    planes = Planes.random(width, height)
    pixels = raw_pixels(planes.sent(pixel_format, width + padding), limits=LIMITS)
    assert pixels.shape == (height, width, 3)
    np.testing.assert_allclose(pixels, planes.in_bgr(), atol=2)


def test_the_ends_of_the_limited_range_are_black_and_white() -> None:
    for luma, bgr in [(16, 0), (235, 255)]:
        image = message("NV12", bytes([luma] * 4 + [128, 128]), width=2, height=2)
        assert (raw_pixels(image, limits=LIMITS) == bgr).all()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"data": b""}, "data", "got no bytes"),
        ({"data": b"x" * 23}, "data", "got 23 bytes, want 12 x 2 = 24"),
        ({"data": b"x" * 25}, "data", "got 25 bytes, want 12 x 2 = 24"),
        ({"width": 5}, "data", "got 24 bytes, want 15 x 2 = 30"),
        ({"width": 0}, "width", "got 0, want at least 1"),
        ({"height": 0}, "height", "got 0, want at least 1"),
        ({"pixel_format": 0}, "pixel_format", "got none, want one of BGR8, RGB8, "),
        ({"pixel_format": 8}, "pixel_format", "got 8, want one of BGR8"),
        ({"pixel_format": -1}, "pixel_format", "got -1"),
        ({"row_stride_bytes": 11}, "row_stride_bytes", "got 11, want at least a row's 12 bytes"),
        ({"row_stride_bytes": 0}, "row_stride_bytes", "got 0"),
        # The padding of the last row counts.
        ({"row_stride_bytes": 16, "data": b"x" * 28}, "data", "got 28 bytes, want 16 x 2 = 32"),
        ({"row_stride_bytes": 2**32 - 1}, "data", f"want {2**32 - 1} x 2 = {2**33 - 2}"),
    ],
)
def test_values_that_do_not_match(fields: dict[str, Any], field: str, words: str) -> None:
    error = refusal(image_pb2.RawImage(**fields_of(**fields)))
    assert (error.violations[0].field, error.reason) == (f"image.raw.{field}", "IMAGE_INVALID")
    assert words in str(error)
    assert {"got", "want"} == set(error.metadata)


@pytest.mark.parametrize("pixel_format", SUBSAMPLED)
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"width": 3, "height": 2, "data": bytes(9)}, "width"),
        ({"width": 4, "height": 3, "data": bytes(18)}, "height"),
        ({"width": 4, "height": 2, "row_stride_bytes": 5, "data": bytes(15)}, "row_stride_bytes"),
        ({"width": 4, "height": 2, "row_stride_bytes": 2, "data": bytes(12)}, "row_stride_bytes"),
        ({"width": 4, "height": 2, "data": bytes(8)}, "data"),
        ({"width": 4, "height": 2, "row_stride_bytes": 6, "data": bytes(17)}, "data"),
    ],
)
def test_subsampled_values_that_do_not_match(
    pixel_format: str, fields: dict[str, Any], field: str
) -> None:
    error = refusal(message(pixel_format, **fields))
    assert (error.violations[0].field, error.reason) == (f"image.raw.{field}", "IMAGE_INVALID")


@pytest.mark.parametrize("pixel_format", BYTES)
def test_huge_sizes_are_refused_whatever_the_format(pixel_format: str) -> None:
    huge = 2**32 - 2
    error = refusal(message(pixel_format, b"x" * 24, width=huge, height=huge))
    assert (error.violations[0].field, error.reason) == ("image.raw", "IMAGE_TOO_LARGE")
    assert error.metadata["max_image_pixels"] == "100000"


def test_sizes_may_reach_the_limits() -> None:
    def image(width: int, height: int) -> image_pb2.RawImage:
        return message("GRAY8", bytes(width * height), width=width, height=height)

    assert raw_pixels(image(400, 250), limits=LIMITS).shape == (250, 400, 3)
    assert refusal(image(401, 250)).metadata["max_image_pixels"] == "100000"
    assert raw_pixels(image(65_535, 1), limits=LIMITS).shape == (1, 65_535, 3)
    assert refusal(image(65_536, 1)).metadata["max_image_side"] == "65535"


def test_too_many_bytes_are_refused_first() -> None:
    error = refusal(
        image_pb2.RawImage(**fields_of(pixel_format=0)), ImageLimits(max_bytes=23, max_pixels=9)
    )
    assert (error.violations[0].field, error.reason) == ("image.raw.data", "IMAGE_TOO_LARGE")
    assert error.metadata["max_image_bytes"] == "23"
