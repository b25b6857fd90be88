from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_decoder import (
    Decoder,
    DecoderOptions,
    Origin,
    ReferenceDecoder,
    serialize_poses,
)
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import OpenVinoRunner, RunnerOptions
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.limits import ImageLimits
from posewire_server.image.region import RegionOfInterest
from posewire_server.models.installed import InstalledModel
from tests.reference.colour_network import COLOURS, colour_network, painted_frame, person_at
from tests.reference.image_files import encoded, stored, with_orientation
from tests.reference.numbered_frames import SIDE, numbered_image, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model

LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000)
GEOMETRY = InputGeometry(size=256, fit="short_side", padding="center")


def people(*corners: tuple[float, float]) -> NDArray[np.float64]:
    return np.array([person_at(x, y, 20) for x, y in corners]).reshape(-1, 17, 2)


def pipeline(
    runner: PaintingRunner | OpenVinoRunner, geometry: InputGeometry = GEOMETRY
) -> Pipeline:
    return Pipeline(runner, Decoder(DecoderOptions()), geometry)


def test_poses_come_back_in_pixels_of_the_frame() -> None:
    # 640x512 becomes 320x256, so a pixel of the input is two of the frame.
    truth = people((31, 41), (180, 121))
    estimate = pipeline(PaintingRunner(truth)).estimate(np.zeros((512, 640, 3), np.uint8))
    poses = estimate.poses
    assert len(poses) == 2
    assert poses.keypoints.dtype == np.float32
    assert (poses.origins == Origin.DETECTED).all()
    np.testing.assert_allclose(poses.scores, 0.9, atol=0.03)
    found = poses.keypoints[np.argsort(poses.keypoints[:, 0, 0])]
    np.testing.assert_allclose(found, 2 * truth + 0.5, atol=0.1)


def test_the_runner_gets_the_letterboxed_frame() -> None:
    runner = PaintingRunner(people())
    pipeline(runner).estimate(np.full((480, 640, 3), 77, np.uint8))
    (image,) = runner.images
    assert image.shape == (256, 352, 3)
    # 341 columns of the frame between 6 of padding on the left and 5 on the right.
    assert [int(np.count_nonzero(image[0, :, 0] == each)) for each in (77, 0)] == [341, 11]
    assert image[0, 5, 0] == 0
    assert image[0, 6, 0] == 77


def test_an_absent_keypoint_is_at_zero() -> None:
    keypoints = people((31, 41))
    keypoints[0, 7] = np.nan
    runner = PaintingRunner(keypoints)
    poses = pipeline(runner).estimate(np.zeros((480, 640, 3), np.uint8)).poses
    assert [Origin(each) for each in poses.origins[0, [7, 8]]] == [Origin.ABSENT, Origin.DETECTED]
    assert poses.keypoints[0, 7].tolist() == [0, 0]
    assert poses.keypoint_scores[0, 7] == 0


def test_nobody_in_the_frame_is_no_pose() -> None:
    poses = pipeline(PaintingRunner(people())).estimate(np.zeros((90, 160, 3), np.uint8)).poses
    assert len(poses) == 0
    assert poses.keypoints.shape == (0, 17, 2)


def test_every_stage_takes_time() -> None:
    times = pipeline(PaintingRunner(people((31, 41)))).estimate(np.zeros((480, 640, 3), np.uint8))
    assert min(times.times.letterbox_secs, times.times.inference_secs) > 0
    assert 0 < times.times.grouping_secs < 10


@pytest.fixture(scope="module")
def colours() -> OpenVinoRunner:
    return OpenVinoRunner(colour_network(), RunnerOptions(inference_num_threads=1))


@pytest.mark.parametrize("padding", ["center", "right_bottom"])
@pytest.mark.parametrize("fit", ["short_side", "inside"])
@pytest.mark.parametrize(
    ("width", "height"), [(641, 479), (301, 433), (199, 163), (1003, 611)], ids=str
)
def test_people_painted_in_a_frame_are_found_where_they_are(
    colours: OpenVinoRunner, width: int, height: int, fit: str, padding: str
) -> None:
    geometry = InputGeometry(size=256, fit=fit, padding=padding)  # type: ignore[arg-type]
    unit = min(width, height) / 12
    truth: Sequence[NDArray[np.float64]] = [
        person_at(1.3 * unit, 1.1 * unit, unit),
        person_at(6.1 * unit, 6.2 * unit, unit),
    ]
    frame = painted_frame(width, height, list(truth), sigma=unit / 5)
    poses = pipeline(colours, geometry).estimate(frame).poses
    assert len(poses) == 2
    found = poses.keypoints[np.argsort(poses.keypoints[:, 0, 0])]
    errors = (found - np.array(truth)).reshape(-1, 2)
    assert np.abs(errors.mean(axis=0)).max() < 0.1
    assert np.abs(errors).max() < 0.05 * unit


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "region", [None, RegionOfInterest(20, 10, 620, 450)], ids=["whole", "part"]
)
def test_a_photo_stored_in_any_orientation_has_the_same_poses(
    colours: OpenVinoRunner, region: RegionOfInterest | None, orientation: int, tmp_path: Path
) -> None:
    truth = [person_at(52, 44, 40), person_at(244, 248, 40)]
    shown = painted_frame(641, 479, truth, sigma=8)
    quality = (cv2.IMWRITE_JPEG_QUALITY, 98)
    content = with_orientation(encoded(stored(shown, orientation), ".jpg", *quality), orientation)
    image = image_pb2.Image(
        encoded=image_pb2.EncodedImage(
            data=content, orientation_policy=image_pb2.ORIENTATION_POLICY_APPLY
        )
    )
    estimate = pipeline(colours).estimate_image(
        image, EstimateOptions(region=region), limits=LIMITS
    )
    assert estimate.frame == Size(641, 479)
    assert len(estimate.poses) == 2
    found = estimate.poses.keypoints[np.argsort(estimate.poses.keypoints[:, 0, 0])]
    assert np.abs(found - np.array(truth)).max() < 1
    if region is None:
        path = tmp_path / "photo.jpg"
        path.write_bytes(content)
        of_file = pipeline(colours).estimate_file(path)
        np.testing.assert_array_equal(of_file.poses.keypoints, estimate.poses.keypoints)
        as_stored = pipeline(colours).estimate_file(path, apply_orientation=False)
        assert as_stored.frame == Size(*stored(shown, orientation).shape[1::-1])


@pytest.mark.parametrize(("reference", "score"), [(True, 1.0), (False, 0.25)])
def test_the_reference_skips_pixels_where_the_default_averages_them(
    tmp_path: Path, reference: bool, score: float
) -> None:
    path = tmp_path / "colours.xml"
    ov.save_model(colour_network(), path)
    model = InstalledModel("colours", path, GEOMETRY, (0.5, 0.5), None)
    frame = np.zeros((1024, 1024, 3), np.uint8)
    # Of every 4x4 pixels, one of the input, linear interpolation reads the middle four.
    frame[401 + 4 : 403 + 4, 601 + 4 : 603 + 4] = np.round(255 * COLOURS[2])
    poses = Pipeline.for_model(model, reference=reference).estimate(frame).poses
    assert poses.keypoint_scores[0, 2] == pytest.approx(score, abs=0.05)


TWICE = (31.0, 41.0), (37.0, 41.0), (181.0, 121.0)


@pytest.mark.parametrize(("reference", "count"), [(True, 3), (False, 2)])
def test_only_the_reference_leaves_people_twice(reference: bool, count: int) -> None:
    decoder = ReferenceDecoder() if reference else Decoder()
    way = Pipeline(PaintingRunner(people(*TWICE)), decoder, GEOMETRY)
    assert len(way.estimate(np.zeros((256, 320, 3), np.uint8)).poses) == count


def test_duplicates_do_not_count_among_the_poses_that_are_wanted() -> None:
    keypoints = people(*TWICE)
    keypoints[2, :5] = np.nan  # the last person scores least
    image = image_pb2.Image(
        raw=image_pb2.RawImage(
            data=bytes(256 * 320), width=320, height=256, pixel_format=image_pb2.PIXEL_FORMAT_GRAY8
        )
    )
    way = pipeline(PaintingRunner(keypoints))
    poses = way.estimate_image(image, EstimateOptions(max_poses=2), limits=LIMITS).poses
    assert np.sort(poses.keypoints[:, 16, 0]) == pytest.approx(
        [keypoints[0, 16, 0], keypoints[2, 16, 0]], abs=7
    )


def test_a_turn_may_stop_an_image_that_is_ready() -> None:
    runner = PaintingRunner(person_of)
    way = painted_model(runner, size=SIDE).pipeline

    @contextmanager
    def no_turn() -> Iterator[None]:
        raise InterruptedError
        yield

    image = numbered_image(1)
    with pytest.raises(InterruptedError):
        way.estimate_image(image, EstimateOptions(), limits=LIMITS, turn=no_turn())
    assert runner.images == []
    assert len(way.estimate_image(image, EstimateOptions(), limits=LIMITS).poses) == 1


@pytest.mark.parametrize(
    "options",
    [EstimateOptions(), EstimateOptions(max_poses=1, min_keypoint_score=0.5, refine=False)],
    ids=["default", "limited"],
)
def test_serialized_poses_are_those_of_the_estimate(options: EstimateOptions) -> None:
    way = painted_model(PaintingRunner(people((20, 20), (180, 121))), size=256).pipeline
    image = image_pb2.Image(
        raw=image_pb2.RawImage(
            data=bytes(256 * 320), width=320, height=256, pixel_format=image_pb2.PIXEL_FORMAT_GRAY8
        )
    )
    found = way.estimate_image(image, options, limits=LIMITS).poses
    assert len(found) == min(2, options.max_poses)
    written = way.estimate_to_bytes(image, options, limits=LIMITS).poses
    assert len(written) == len(found)
    assert written.data == serialize_poses(
        found.keypoints, found.keypoint_scores, found.origins, found.scores
    )
