from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions, ReferenceDecoder, ReferenceOptions
from posewire_server.estimation.flip_test import mirror_columns
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import OpenVinoRunner, RunnerOptions
from posewire_server.geometry import InputGeometry
from posewire_server.models.installed import installed_model
from posewire_server.sample import STILL
from posewire_server.skeleton import COCO
from tests.reference.colour_network import colour_network, painted_frame, person_at
from tests.reference.painting_runner import PaintingRunner

Points = NDArray[np.float64]

GEOMETRY = InputGeometry(size=256, fit="short_side", padding="center")
FLIP_TEST = EstimateOptions(flip_test=True)
FRAME = np.zeros((256, 256, 3), np.uint8)
SWAPPED = list(COCO.mirrored_keypoints)
LEFT_WRIST, RIGHT_WRIST = COCO.names.index("left_wrist"), COCO.names.index("right_wrist")


@pytest.fixture(scope="module")
def colours() -> OpenVinoRunner:
    return OpenVinoRunner(colour_network(), RunnerOptions(inference_num_threads=1))


def assert_same(one: FramePoses, other: FramePoses) -> None:
    for name in ("keypoints", "keypoint_scores", "origins", "scores"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# With 641 pixels the frame has padding on both sides, not equally much.
@pytest.mark.parametrize(("width", "height"), [(256, 256), (641, 479), (301, 433)])
def test_an_exactly_symmetric_network_finds_what_it_finds_in_one_run(
    colours: OpenVinoRunner, width: int, height: int
) -> None:
    # Its keypoints have colours, which are the same in a mirror.
    skeleton = replace(COCO, flip_pairs=())
    pipeline = Pipeline(colours, Decoder(DecoderOptions()), GEOMETRY, skeleton=skeleton)
    unit = min(width, height) / 12
    people = [person_at(1.3 * unit, 1.1 * unit, unit), person_at(6.1 * unit, 6.2 * unit, unit)]
    frame = painted_frame(width, height, people, sigma=unit / 5)
    once = pipeline.estimate(frame, EstimateOptions()).poses
    twice = pipeline.estimate(frame, FLIP_TEST).poses
    assert len(once) == 2
    assert_same(once, twice)


class Mirrored:
    """Sees people in the first image, and others in its mirror image."""

    def __init__(self, people: Points, in_mirror: Points) -> None:
        self._sights = [people, in_mirror]

    def __call__(self, image: NDArray[np.uint8]) -> Points:
        self._sights.append(self._sights.pop(0))
        return self._sights[-1]


def mirrored(people: Points, *, axis: float) -> Points:
    """The people in a mirror image, in which left is right: a point at x is at `axis` - x."""
    swapped = people[:, SWAPPED].copy()
    swapped[..., 0] = axis - swapped[..., 0]
    return swapped


def estimate_twice(people: Points, in_mirror: Points, *, delta_x: float = 0.5) -> FramePoses:
    runner = PaintingRunner(Mirrored(people, in_mirror))
    pipeline = Pipeline(runner, Decoder(DecoderOptions(delta=(delta_x, 0.5))), GEOMETRY)
    poses = pipeline.estimate(FRAME, FLIP_TEST).poses
    assert len(runner.images) == 2
    return poses


def test_left_and_right_are_those_of_the_image() -> None:
    people = np.array([person_at(31, 41, 20)])
    poses = estimate_twice(people, mirrored(people, axis=256))
    assert len(poses) == 1
    np.testing.assert_allclose(poses.keypoints, people, atol=0.1)
    np.testing.assert_allclose(poses.scores, 0.9, atol=0.03)


def test_a_keypoint_that_one_run_misses_has_half_its_score() -> None:
    people = np.array([person_at(31, 41, 20)])
    in_mirror = mirrored(people, axis=256)
    in_mirror[0, RIGHT_WRIST] = np.nan  # the left one
    poses = estimate_twice(people, in_mirror)
    np.testing.assert_allclose(poses.keypoint_scores[0, LEFT_WRIST], 0.45, atol=0.03)
    np.testing.assert_allclose(poses.keypoint_scores[0, RIGHT_WRIST], 0.9, atol=0.03)
    np.testing.assert_allclose(poses.keypoints, people, atol=0.1)


def test_a_constant_offset_cancels_out() -> None:
    people = np.array([person_at(31, 41, 20)])
    biased = people - (1, 0)
    poses = estimate_twice(biased, mirrored(people, axis=256) - (1, 0))
    np.testing.assert_allclose(poses.keypoints, people, atol=0.15)


def test_people_whom_one_run_does_not_see_are_found() -> None:
    people = np.array([person_at(31, 41, 20), person_at(150, 141, 20)])
    poses = estimate_twice(people, mirrored(people[:1], axis=256))
    np.testing.assert_allclose(poses.keypoints, people, atol=0.1)
    np.testing.assert_allclose(poses.scores, [0.9, 0.45], atol=0.03)


@pytest.mark.parametrize(("delta_x", "first"), [(0.5, 1), (0.25, 0), (0.0, -1)])
def test_the_image_is_mirrored_where_cells_line_up(delta_x: float, first: int) -> None:
    runner = PaintingRunner(np.zeros((0, 17, 2)))
    decoder = Decoder(DecoderOptions(delta=(delta_x, 0.5)))
    frame = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    Pipeline(runner, decoder, GEOMETRY).estimate(frame, FLIP_TEST)
    image, in_mirror = runner.images
    columns = np.clip(255 + first - np.arange(256), max(first, 0), 255 + min(first, 0))
    np.testing.assert_array_equal(in_mirror, image[:, columns])


def test_reference_decoding_mirrors_about_the_centre() -> None:
    runner = PaintingRunner(np.zeros((0, 17, 2)))
    decoder = ReferenceDecoder(ReferenceOptions(delta=(0.5, 0.5)))
    frame = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    Pipeline(runner, decoder, GEOMETRY).estimate(frame, FLIP_TEST)
    image, in_mirror = runner.images
    np.testing.assert_array_equal(in_mirror, image[:, ::-1])


def test_without_a_flip_test_the_network_runs_once() -> None:
    runner = PaintingRunner(np.zeros((0, 17, 2)))
    Pipeline(runner, Decoder(DecoderOptions()), GEOMETRY).estimate(FRAME, EstimateOptions())
    assert len(runner.images) == 1


def test_the_mirror_image_of_a_frame_has_the_mirrored_poses() -> None:
    """A real network is not symmetric: without the flip test the poses differ."""
    pipeline = Pipeline.for_model(installed_model("demo"), RunnerOptions(inference_num_threads=1))
    frame = cv2.imread(str(STILL))
    frame = frame[:256, :256].copy()
    frame[:, 0] = frame[:, 1]  # the column that the mirror image lacks
    options = replace(FLIP_TEST, min_pose_score=0.45)
    poses = pipeline.estimate(frame, options).poses
    in_mirror = pipeline.estimate(mirror_columns(frame, shift=1), options).poses
    assert len(poses) == len(in_mirror) == 2
    expected = mirrored(poses.keypoints.astype(np.float64), axis=256)
    found = poses.origins[:, SWAPPED] != 3
    np.testing.assert_array_equal(in_mirror.origins, poses.origins[:, SWAPPED])
    np.testing.assert_allclose(in_mirror.keypoints[found], expected[found], atol=0.01)
