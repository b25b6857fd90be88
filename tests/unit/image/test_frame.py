from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.estimation.letterbox import Letterbox
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.encoded import DecodedImage
from posewire_server.image.errors import InvalidImageError, InvalidRegionError
from posewire_server.image.frame import Frame, frame_from_proto
from posewire_server.image.limits import ImageLimits
from posewire_server.image.region import PixelBox, RegionOfInterest
from tests.reference.image_files import encoded, stored, with_orientation

LIMITS = ImageLimits(max_bytes=50_000_000, max_pixels=20_000_000)
PIXELS = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8), (301, 203)
).astype(np.uint8)
GEOMETRIES = [
    InputGeometry(size=256, fit=fit, padding=padding)
    for fit, padding in product(("short_side", "inside"), ("center", "right_bottom"))
]

every_geometry = pytest.mark.parametrize(
    "geometry", GEOMETRIES, ids=lambda each: f"{each.fit}-{each.padding}"
)


def raw(pixels: NDArray[np.uint8]) -> image_pb2.Image:
    height, width = pixels.shape[:2]
    source = image_pb2.RawImage(
        data=pixels.tobytes(),
        width=width,
        height=height,
        pixel_format=image_pb2.PIXEL_FORMAT_BGR8,
    )
    return image_pb2.Image(raw=source)


def file(content: bytes) -> image_pb2.Image:
    return image_pb2.Image(encoded=image_pb2.EncodedImage(data=content))


@pytest.mark.parametrize(
    "image",
    [
        raw(PIXELS),
        file(encoded(PIXELS, ".png")),
        file(encoded(PIXELS, ".webp")),
        file(encoded(PIXELS, ".bmp")),
    ],
    ids=["raw", "png", "webp", "bmp"],
)
def test_the_same_pixels_are_the_same_frame(image: image_pb2.Image) -> None:
    frame = frame_from_proto(image, limits=LIMITS, needed=lambda _: Size(9, 9))
    assert (frame.width, frame.height, frame.reduction) == (301, 203, 1)
    assert frame.part == PixelBox(0, 0, 301, 203)
    np.testing.assert_array_equal(frame.pixels, PIXELS)


def test_a_jpeg_is_the_frame_of_its_decoded_pixels() -> None:
    content = encoded(PIXELS, ".jpg")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    frame = frame_from_proto(file(content), limits=LIMITS)
    np.testing.assert_array_equal(frame.pixels, decoded)


def test_a_large_jpeg_comes_reduced_and_keeps_its_size() -> None:
    content = with_orientation(encoded(PIXELS, ".jpg"), 6)
    frame = frame_from_proto(file(content), limits=LIMITS, needed=lambda _: Size(60, 40))
    assert (frame.width, frame.height) == (301, 203)
    assert (frame.reduction, frame.pixels.shape) == (4, (51, 76, 3))


@pytest.mark.parametrize(
    "image",
    [
        image_pb2.Image(),
        # Field 3, which a newer contract may have.
        image_pb2.Image.FromString(b"\x1a\x02\x08\x01"),
    ],
    ids=["none", "newer"],
)
def test_no_image_is_refused(image: image_pb2.Image) -> None:
    with pytest.raises(InvalidImageError, match=r"^image: got no image.* want encoded or raw") as e:
        frame_from_proto(image, limits=LIMITS)
    assert (e.value.violations[0].field, e.value.reason) == ("image", "IMAGE_INVALID")


@pytest.mark.parametrize(
    ("image", "field", "reason"),
    [
        (file(b""), "image.encoded.data", "IMAGE_INVALID"),
        (file(b"no image"), "image.encoded.data", "IMAGE_UNDECODABLE"),
        (file(bytes(50_000_001)), "image.encoded.data", "IMAGE_TOO_LARGE"),
        (image_pb2.Image(raw=image_pb2.RawImage()), "image.raw.data", "IMAGE_INVALID"),
        (
            image_pb2.Image(raw=image_pb2.RawImage(data=b"x", pixel_format=2)),
            "image.raw.width",
            "IMAGE_INVALID",
        ),
    ],
    ids=["empty file", "text", "too long", "empty pixels", "no width"],
)
def test_what_is_wrong_is_named(image: image_pb2.Image, field: str, reason: str) -> None:
    region = RegionOfInterest(0, 0, 5, 5)
    with pytest.raises(InvalidImageError) as caught:
        frame_from_proto(image, limits=LIMITS, region=region)
    assert (caught.value.violations[0].field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize(
    "image", [raw(PIXELS), file(encoded(PIXELS, ".png"))], ids=["raw", "encoded"]
)
def test_a_region_is_a_view_of_the_frame(image: image_pb2.Image) -> None:
    region = RegionOfInterest(-7.5, 100.2, 49, 999)
    frame = frame_from_proto(image, limits=LIMITS, region=region)
    assert (frame.width, frame.height) == (301, 203)
    assert frame.part == PixelBox(0, 101, 50, 102)
    np.testing.assert_array_equal(frame.pixels, PIXELS[101:, :50])
    assert frame.pixels.base is not None


def test_a_region_begins_and_ends_at_any_pixel_of_a_jpeg() -> None:
    content = encoded(PIXELS, ".jpg")
    region = RegionOfInterest(33, 21, 254, 177)
    frame = frame_from_proto(
        file(content), limits=LIMITS, region=region, needed=lambda _: Size(9, 9)
    )
    whole = frame_from_proto(file(content), limits=LIMITS)
    np.testing.assert_array_equal(frame.pixels, whole.pixels[21:178, 33:255])


def test_a_region_beside_the_image_is_refused() -> None:
    with pytest.raises(InvalidRegionError, match="of 301x203"):
        frame_from_proto(raw(PIXELS), limits=LIMITS, region=RegionOfInterest(301, 0, 400, 9))


@every_geometry
def test_points_found_in_a_region_are_points_of_the_frame(geometry: InputGeometry) -> None:
    pixels = blob(Size(901, 707), np.array([612.3, 411.7]), sigma=12)
    region = RegionOfInterest(401, 203.5, 800, 633)
    frame = frame_from_proto(raw(pixels), limits=LIMITS, region=region)
    letterbox = Letterbox.for_frame(frame, geometry)
    assert letterbox.frame == Size(400, 430)
    found = letterbox.frame_from_input(centroid(letterbox.apply(frame.pixels)))
    np.testing.assert_allclose(found, [612.3, 411.7], atol=0.05)
    np.testing.assert_allclose(
        letterbox.frame_from_input(letterbox.input_from_frame(found)), found, atol=1e-9
    )


@every_geometry
@pytest.mark.parametrize("share", [(0.12, 0.15), (0.47, 0.55), (0.88, 0.86)], ids=str)
@pytest.mark.parametrize(
    ("size", "reduction"),
    [
        (Size(1025, 769), 2),
        (Size(1025, 1027), 4),
        (Size(1283, 1219), 4),
        (Size(2055, 2049), 8),
        (Size(2079, 2063), 8),
    ],
    ids=str,
)
def test_reduced_decoding_finds_points_where_full_decoding_finds_them(
    size: Size, reduction: int, share: tuple[float, float], geometry: InputGeometry
) -> None:
    centre = np.array(share) * size + 0.3
    content = encoded(
        blob(size, centre, sigma=min(size) / 40), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98
    )
    frames = [
        frame_from_proto(file(content), limits=LIMITS, needed=needed)
        for needed in (None, lambda each: Letterbox.fitting(each, geometry).resized)
    ]
    assert frames[0].reduction == 1
    assert frames[1].reduction >= reduction
    found = []
    for frame in frames:
        letterbox = Letterbox.for_frame(frame, geometry)
        found.append(letterbox.frame_from_input(centroid(letterbox.apply(frame.pixels))))
    assert np.abs(found[1] - found[0]).max() < 0.1
    assert np.abs(found[1] - centre).max() < 0.1


@every_geometry
@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(
    ("size", "region"),
    [
        (Size(333, 500), None),
        (Size(1283, 719), None),  # halved, with a last row and column omitted
        (Size(1025, 1027), None),  # decoded at a quarter, beyond its last row and column
        (Size(901, 707), RegionOfInterest(201, 103.5, 801, 633)),
    ],
    ids=["small", "halved", "reduced", "region"],
)
def test_points_found_in_an_oriented_image_are_points_of_what_is_shown(
    size: Size, region: RegionOfInterest | None, orientation: int, geometry: InputGeometry
) -> None:
    centre = np.array((0.55, 0.45)) * size + 0.3
    shown = blob(size, centre, sigma=min(size) / 30)
    extension = ".png" if size == Size(1283, 719) else ".jpg"
    content = with_orientation(
        encoded(stored(shown, orientation), extension, cv2.IMWRITE_JPEG_QUALITY, 98), orientation
    )
    image = file(content)
    image.encoded.orientation_policy = image_pb2.ORIENTATION_POLICY_APPLY
    frame = frame_from_proto(
        image,
        limits=LIMITS,
        region=region,
        needed=lambda each: Letterbox.fitting(each, geometry).resized,
    )
    letterbox = Letterbox.for_frame(frame, geometry)
    found = letterbox.frame_from_input(centroid(letterbox.apply(frame.pixels)))
    assert np.abs(found - centre).max() < 0.1
    np.testing.assert_allclose(
        letterbox.frame_from_input(letterbox.input_from_frame(found)), found, atol=1e-9
    )


@every_geometry
def test_reduction_changes_no_sizes_of_the_network(geometry: InputGeometry) -> None:
    size = Size(1283, 1219)
    pixels = np.zeros((305, 321, 3), np.uint8)
    reduced, whole = (
        Letterbox.for_frame(Frame.decoded(DecodedImage(size, pixels, 4)), geometry),
        Letterbox.fitting(size, geometry),
    )
    assert (reduced.input, reduced.resized) == (whole.input, whole.resized)
    assert reduced.apply(pixels).shape == (whole.input.height, whole.input.width, 3)
    with pytest.raises(ValueError, match=r"want uint8 \(305, 321, 3\)"):
        reduced.apply(np.zeros((1219, 1283, 3), np.uint8))


def blob(size: Size, centre: NDArray[np.float64], *, sigma: float) -> NDArray[np.uint8]:
    x = np.exp(-((np.arange(size.width) - centre[0]) ** 2) / (2 * sigma**2))
    y = np.exp(-((np.arange(size.height) - centre[1]) ** 2) / (2 * sigma**2))
    heat = (255 * np.outer(y, x)).round().astype(np.uint8)
    return np.repeat(heat[..., None], 3, axis=2)


def centroid(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of what stands out from the noise of compression."""
    heat = np.clip(image.sum(axis=2, dtype=np.float64) - 30, 0, None)
    x, y = np.arange(image.shape[1]), np.arange(image.shape[0])
    return np.array([heat.sum(axis=0) @ x, heat.sum(axis=1) @ y]) / heat.sum()
