from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions
from posewire_server.estimation.letterbox import Letterbox
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.exif import orientation_from_exif
from tests.reference.image_files import exif, stored
from tests.reference.painting import Evidence, paint, suppress_non_maxima

RECIPE = InputGeometry(size=512, fit="short_side", padding="center")
GEOMETRIES = [
    InputGeometry(size=256, fit=fit, padding=padding)
    for fit, padding in product(("short_side", "inside"), ("center", "right_bottom"))
]
ODD_FRAMES = [
    *(Size(641, 479), Size(479, 641), Size(1283, 719), Size(721, 1279)),
    *(Size(333, 500), Size(257, 255), Size(101, 77), Size(97, 211)),
    *(Size(1023, 301), Size(255, 999), Size(1923, 1083)),
]
every_geometry = pytest.mark.parametrize(
    "geometry", GEOMETRIES, ids=lambda each: f"{each.fit}-{each.padding}"
)
every_frame = pytest.mark.parametrize("frame", ODD_FRAMES, ids=lambda each: f"{each[0]}x{each[1]}")


@pytest.mark.parametrize(
    ("frame", "resized", "padded", "before"),
    [
        (Size(640, 480), Size(682, 512), Size(704, 512), (11, 0)),
        (Size(640, 427), Size(767, 512), Size(768, 512), (1, 0)),
        (Size(427, 640), Size(512, 767), Size(512, 768), (0, 1)),
        (Size(500, 500), Size(512, 512), Size(512, 512), (0, 0)),
        (Size(1920, 1080), Size(910, 512), Size(928, 512), (9, 0)),
    ],
)
def test_sizes_are_those_of_the_published_recipe(
    frame: Size, resized: Size, padded: Size, before: tuple[int, int]
) -> None:
    letterbox = Letterbox.fitting(frame, RECIPE)
    assert (letterbox.resized, letterbox.input) == (resized, padded)
    assert (letterbox.left, letterbox.top) == before


def test_padding_right_and_below_leaves_the_frame_in_the_corner() -> None:
    letterbox = Letterbox.fitting(Size(640, 480), replace(RECIPE, padding="right_bottom"))
    assert (letterbox.left, letterbox.top) == (0, 0)
    assert letterbox.input == Size(704, 512)


@pytest.mark.parametrize(
    ("frame", "padded"),
    [
        (Size(1280, 720), Size(512, 288)),
        (Size(1366, 768), Size(512, 288)),
        (Size(720, 1280), Size(288, 512)),
        (Size(64, 64), Size(512, 512)),
    ],
)
def test_inside_keeps_the_long_side(frame: Size, padded: Size) -> None:
    assert Letterbox.fitting(frame, replace(RECIPE, fit="inside")).input == padded


@every_geometry
@pytest.mark.parametrize(
    "frame", [Size(1, 1), Size(10_000, 1), Size(1, 10_000), Size(2, 3), Size(4000, 30)]
)
def test_frames_of_any_shape_get_an_input_of_bounded_size(
    frame: Size, geometry: InputGeometry
) -> None:
    letterbox = Letterbox.fitting(frame, geometry)
    assert min(letterbox.resized) >= 1
    assert all(side >= 32 and side % 32 == 0 for side in letterbox.input)
    assert max(letterbox.input) <= 8 * geometry.size
    boxed = letterbox.apply(np.full((frame.height, frame.width, 3), 9, np.uint8))
    assert boxed.shape == (letterbox.input.height, letterbox.input.width, 3)
    assert np.count_nonzero(boxed == 9) == 3 * letterbox.resized.width * letterbox.resized.height


@every_geometry
def test_zeros_surround_the_resized_frame(geometry: InputGeometry) -> None:
    letterbox = Letterbox.fitting(Size(641, 479), geometry)
    boxed = letterbox.apply(np.full((479, 641, 3), 200, np.uint8))
    inside = boxed[
        letterbox.top : letterbox.top + letterbox.resized.height,
        letterbox.left : letterbox.left + letterbox.resized.width,
    ]
    assert (inside == 200).all()
    assert boxed.sum() == inside.sum()


def test_a_frame_of_the_inputs_size_is_taken_as_it_is() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (512, 544, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Letterbox.fitting(Size(544, 512), RECIPE).apply(frame), frame)


@pytest.mark.parametrize(
    ("shrinking", "size", "made_by"),
    [
        ("area", Size(1024, 1024), cv2.INTER_AREA),
        ("area", Size(1023, 1023), cv2.INTER_LINEAR),
        ("linear", Size(1536, 1536), cv2.INTER_LINEAR),
    ],
)
def test_pixels_are_averaged_from_half_size_on(
    shrinking: Literal["area", "linear"], size: Size, made_by: int
) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    boxed = Letterbox.fitting(size, replace(RECIPE, shrinking=shrinking)).apply(frame)
    np.testing.assert_array_equal(boxed, cv2.resize(frame, (512, 512), interpolation=made_by))


def test_blocks_of_many_pixels_are_averaged_in_much_larger_frames() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (4600, 4600, 3), dtype=np.uint8)
    means = frame.reshape(575, 8, 575, 8, 3).mean(axis=(1, 3))
    boxed = Letterbox.fitting(Size(4600, 4600), RECIPE).apply(frame)
    # Each of three halvings rounds, and the resize of whole numbers does too.
    assert np.abs(boxed - cv2.resize(means, (512, 512))).max() < 2.5


def in_frame(letterbox: Letterbox, cells: NDArray[Any], heatmap: Size) -> NDArray[np.float64]:
    """Map points (..., 2) of a heatmap of this size."""
    scale, shift = np.reshape(letterbox.frame_from_heatmap(heatmap), (2, 2))
    return np.asarray(cells * scale - shift)


@given(
    frame=st.builds(Size, st.integers(1, 3000), st.integers(1, 3000)),
    geometry=st.sampled_from(GEOMETRIES),
    point=st.tuples(st.floats(-50, 3000), st.floats(-50, 3000)),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_there_and_back_is_identity(
    frame: Size, geometry: InputGeometry, point: tuple[float, float]
) -> None:
    letterbox = Letterbox.fitting(frame, geometry)
    there = letterbox.input_from_frame(np.array(point))
    np.testing.assert_allclose(letterbox.frame_from_input(there), point, atol=1e-6)
    half = Size(letterbox.input.width // 2, letterbox.input.height // 2)
    np.testing.assert_allclose(in_frame(letterbox, there / 2, half), point, atol=1e-6)


@pytest.mark.parametrize(
    ("frame", "pixels"),
    [
        (Size(403, 301), Size(403, 301)),
        (Size(1283, 719), Size(1282, 718)),
        (Size(2571, 1443), Size(2568, 1440)),
    ],
    ids=["as it is", "halved", "halved twice"],
)
def test_the_corners_of_the_outermost_pixels_stay_corners(frame: Size, pixels: Size) -> None:
    letterbox = Letterbox.fitting(frame, GEOMETRIES[0])
    corners = letterbox.input_from_frame(np.array([[-0.5, -0.5], np.subtract(pixels, 0.5)]))
    before = np.array([letterbox.left, letterbox.top])
    np.testing.assert_allclose(corners[0], before - 0.5)
    np.testing.assert_allclose(corners[1], before + letterbox.resized - 0.5)


@every_geometry
@every_frame
def test_pixels_go_where_points_go(frame: Size, geometry: InputGeometry) -> None:
    letterbox = Letterbox.fitting(frame, geometry)
    sigma = min(frame) / 12
    for share in [(0.4, 0.45), (0.55, 0.6)]:
        centre = np.array(share) * frame + 0.3
        boxed = letterbox.apply(_blob(frame, centre, sigma))
        np.testing.assert_allclose(
            letterbox.frame_from_input(_centroid(boxed)), centre, atol=0.05, rtol=0
        )


@every_geometry
@every_frame
@pytest.mark.parametrize("delta", [0.5, 0.0])
def test_decoded_keypoints_come_back_to_where_they_are_in_the_frame(
    frame: Size, geometry: InputGeometry, delta: float
) -> None:
    letterbox = Letterbox.fitting(frame, geometry)
    heatmap = Size(letterbox.input.width // 2, letterbox.input.height // 2)
    errors = _errors_through_the_decoder(letterbox, heatmap, delta)
    assert np.abs(errors.mean(axis=0)).max() < 0.05
    # The parabola through samples of a Gaussian misses its centre by up to 0.013 cells.
    pixels_per_cell = 2 * np.array(frame) / letterbox.resized
    assert (np.abs(errors) < 0.02 * pixels_per_cell).all()


@every_geometry
@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("frame", [Size(640, 480), Size(1280, 960)], ids=str)
def test_an_orientation_turns_the_input_and_moves_no_point(
    frame: Size, orientation: int, geometry: InputGeometry
) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    shown = cv2.resize(noise, frame, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    turned = orientation_from_exif(memoryview(exif(orientation)))
    upright = Letterbox.fitting(frame, geometry)
    letterbox = Letterbox.fitting(frame, geometry, orientation=turned)
    assert (letterbox.input, letterbox.resized) == (upright.input, upright.resized)
    boxed = letterbox.apply(stored(shown, orientation))
    assert boxed.flags.c_contiguous
    # The resize rounds in another order.
    assert np.abs(boxed.astype(int) - upright.apply(shown)).max() <= 1
    points = np.array([[0.0, 0.0], [100.5, 7.25], [frame.width, frame.height]])
    np.testing.assert_allclose(
        letterbox.input_from_frame(points), upright.input_from_frame(points), atol=1e-9
    )


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 641, 3), np.uint8),
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 3), np.float32),
    ],
    ids=["size", "channels", "type"],
)
def test_other_images_are_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"image: got .* want uint8 \(480, 640, 3\)"):
        Letterbox.fitting(Size(640, 480), RECIPE).apply(image)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Letterbox.fitting(Size(0, 5), RECIPE),
        lambda: replace(RECIPE, size=0),
        lambda: replace(RECIPE, multiple=0),
    ],
    ids=["frame", "size", "multiple"],
)
def test_sizes_of_zero_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="want at least 1"):
        make()


def _blob(frame: Size, centre: NDArray[np.float64], sigma: float) -> NDArray[np.uint8]:
    x = np.exp(-((np.arange(frame.width) - centre[0]) ** 2) / (2 * sigma**2))
    y = np.exp(-((np.arange(frame.height) - centre[1]) ** 2) / (2 * sigma**2))
    blob = (255 * np.outer(y, x)).round().astype(np.uint8)
    return np.repeat(blob[..., None], 3, axis=2)


def _centroid(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    heat = image.sum(axis=2, dtype=np.float64)
    x, y = np.arange(image.shape[1]), np.arange(image.shape[0])
    return np.array([heat.sum(axis=0) @ x, heat.sum(axis=1) @ y]) / heat.sum()


def _errors_through_the_decoder(
    letterbox: Letterbox, heatmap: Size, delta: float
) -> NDArray[np.float64]:
    """Frame pixels (P, 2) by which the keypoints of people here and there are missed.

    They are painted where a network with this delta puts them: at half their place in the input,
    minus delta.
    """
    rng = np.random.default_rng(7)
    centres = rng.uniform(0.4, 0.6, (4, 1, 2)) * letterbox.frame
    # No larger than a person can be: the decoder does not join what lies any distance apart.
    keypoints = centres + rng.uniform(-0.2, 0.2, (4, 17, 2)) * min(letterbox.frame)
    in_cells = letterbox.input_from_frame(keypoints) / 2
    errors = []
    for truth, cells in zip(keypoints, in_cells, strict=True):
        # Painting calls the centre of cell i i + 0.5.
        evidence = Evidence(cells[None] - delta + 0.5, np.ones((1, 17)), np.ones((1, 17)))
        heat, tags = paint(rng, evidence, width=heatmap.width, height=heatmap.height)
        decoder = Decoder(DecoderOptions(delta=(delta, delta)))
        poses = decoder.decode(suppress_non_maxima(heat), tags)
        assert len(poses) == 1
        errors.append(in_frame(letterbox, poses.keypoints[0], heatmap) - truth)
    return np.concatenate(errors)


def test_a_frame_that_fits_is_not_copied() -> None:
    geometry = InputGeometry(size=64, fit="short_side", padding="center")
    letterbox = Letterbox.fitting(Size(96, 64), geometry)
    image = np.arange(64 * 96 * 3, dtype=np.uint8).reshape(64, 96, 3)
    assert letterbox.apply(image) is image
    with_stride = np.pad(image, ((0, 0), (0, 5), (0, 0)))[:, :96]
    fitted = letterbox.apply(with_stride)
    assert fitted.flags.c_contiguous
    assert np.array_equal(fitted, image)
