from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from posewire.v1 import model_pb2, pose_pb2, pose_service_pb2, stream_pb2
from posewire_client import (
    Box,
    FrameFailure,
    InternalError,
    Keypoint,
    Origin,
    ProtocolError,
    Result,
    Skipped,
)
from posewire_client.model import InputSize, Precision
from posewire_client.response import model_from_message, outcome_from_message, result_from_response
from posewire_client.result import SkipReason
from tests.reference.scripted_service import small_model, small_pose, status

DETECTED, ABSENT = pose_pb2.KEYPOINT_ORIGIN_DETECTED, pose_pb2.KEYPOINT_ORIGIN_ABSENT


def result_of(*poses: pose_pb2.Pose) -> Result:
    response = pose_service_pb2.EstimatePosesResponse(
        poses=poses, model="small", model_version="small@1", image_width=8, image_height=6
    )
    response.stage_times.inference_duration.FromMilliseconds(12)
    response.stage_times.total_duration.FromMilliseconds(1500)
    return result_from_response(response)


def coco_pose(*, without: int | None = None) -> pose_pb2.Pose:
    """Keypoint k lies at (10 k, 100 + k) with score k / 32, but for one."""
    return pose_pb2.Pose(
        score=0.5,
        keypoints=[
            pose_pb2.Keypoint(origin=ABSENT)
            if k == without
            else pose_pb2.Keypoint(x=10 * k, y=100 + k, score=k / 32, origin=DETECTED)
            for k in range(17)
        ],
    )


def test_a_result_contains_the_response() -> None:
    result = result_of(small_pose(track_id=7), small_pose())
    assert (result.model, result.model_version) == ("small", "small@1")
    assert (result.image_width, result.image_height) == (8, 6)
    assert (result.frame_id, result.frames_skipped_before) == (None, 0)
    first, second = result.poses
    assert (first.track_id, second.track_id) == (7, None)
    assert first.score == 0.75
    assert first.box == Box(1.5, 2.5, 3.5, 4.5)
    np.testing.assert_array_equal(first.keypoints, [[1.5, 2.5], [3.5, 4.5], [0, 0]])
    np.testing.assert_array_equal(first.keypoint_scores, [0.875, 0.25, 0])
    assert first.origins.tolist() == [Origin.DETECTED, Origin.INFERRED, Origin.ABSENT]
    assert first.keypoints.dtype == first.keypoint_scores.dtype == np.float32
    assert first.origins.dtype == np.uint8


def test_a_pose_is_a_sequence_of_keypoints() -> None:
    (pose,) = result_of(small_pose()).poses
    assert len(pose) == 3
    assert pose[1] == Keypoint(3.5, 4.5, 0.25, Origin.INFERRED)
    assert list(pose)[-1] == pose[-1] == Keypoint(0, 0, 0, Origin.ABSENT)


def test_the_arrays_of_a_result_stack_its_poses() -> None:
    result = result_of(small_pose(), small_pose())
    assert result.keypoints.shape == (2, 3, 2)
    assert result.keypoint_scores.shape == result.origins.shape == (2, 3)
    np.testing.assert_array_equal(result.keypoints[1], result.poses[1].keypoints)
    assert result.scores.tolist() == [0.75, 0.75]


def test_a_result_without_people_is_empty() -> None:
    result = result_of()
    assert result.poses == ()
    assert result.keypoints.shape == (0, 0, 2)
    assert result.keypoint_scores.shape == result.origins.shape == (0, 0)
    assert result.scores.shape == (0,)
    assert result.to_coco(1) == []
    assert result.to_openpose()["people"] == []


def test_results_cannot_be_changed() -> None:
    result = result_of(small_pose())
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.model = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.poses[0].keypoints[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        result.poses[0].origins[0] = 0


def test_stages_that_did_not_run_are_none() -> None:
    times = result_of().stage_times
    assert (times.inference_secs, times.total_secs) == (0.012, 1.5)
    assert times.image_decode_secs is None
    assert times.queue_secs is None


def test_an_origin_from_the_future_has_a_position() -> None:
    keypoint = pose_pb2.Keypoint(x=1, y=2, score=0.5)
    keypoint.origin = 9  # type: ignore[assignment]
    (pose,) = result_of(pose_pb2.Pose(keypoints=[keypoint])).poses
    assert pose[0] == Keypoint(1, 2, 0.5, Origin.UNKNOWN)


def test_coco_records_hold_three_numbers_per_keypoint() -> None:
    (record,) = result_of(small_pose()).to_coco(42, category_id=3)
    assert record == {
        "image_id": 42,
        "category_id": 3,
        "keypoints": [1.5, 2.5, 0.875, 3.5, 4.5, 0.25, 0, 0, 0],
        "score": 0.75,
    }
    assert json.loads(json.dumps(record)) == record


def openpose_points(pose: pose_pb2.Pose) -> Any:
    document = result_of(pose).to_openpose()
    assert json.loads(json.dumps(document)) == document
    (person,) = document["people"]
    return np.reshape(person["pose_keypoints_2d"], (18, 3))


def test_openpose_has_its_own_order() -> None:
    points = openpose_points(coco_pose())
    # Nose; the right and the left arm; the right and the left leg; eyes and ears.
    coco_numbers = [0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    expected = [[10 * k, 100 + k, k / 32] for k in coco_numbers]
    np.testing.assert_array_equal(np.delete(points, 1, axis=0), expected)


def test_openpose_gets_a_neck_between_the_shoulders() -> None:
    np.testing.assert_array_equal(openpose_points(coco_pose())[1], [55, 105.5, 5 / 32])


@pytest.mark.parametrize("shoulder", [5, 6])
def test_without_a_shoulder_there_is_no_neck(shoulder: int) -> None:
    np.testing.assert_array_equal(openpose_points(coco_pose(without=shoulder))[1], [0, 0, 0])


def test_openpose_names_the_track() -> None:
    tracked = coco_pose()
    tracked.track_id = 7
    people = result_of(tracked, coco_pose()).to_openpose()["people"]
    assert [person["person_id"] for person in people] == [[7], [-1]]


def test_openpose_requires_the_keypoints_of_coco() -> None:
    with pytest.raises(ValueError, match="3 keypoints"):
        result_of(small_pose()).to_openpose()


def test_outcomes_of_frames() -> None:
    def outcome(**kind: Any) -> Any:
        message = stream_pb2.FrameOutcome(frame_id=9, **kind)
        return outcome_from_message(message, model="small", frames_skipped_before=2)

    result = outcome(result=stream_pb2.FrameResult(poses=[small_pose()], model_version="v"))
    assert isinstance(result, Result)
    assert (result.frame_id, result.frames_skipped_before, result.model) == (9, 2, "small")
    failure = outcome(error=stream_pb2.FrameError(status=status(13, "defect")))
    assert isinstance(failure, FrameFailure)
    assert (failure.frame_id, type(failure.error)) == (9, InternalError)
    skip = stream_pb2.FrameSkipped(reason=stream_pb2.SKIP_REASON_TOO_OLD)
    assert outcome(skipped=skip) == Skipped(
        frame_id=9, reason=SkipReason.TOO_OLD, frames_skipped_before=2
    )
    # Of a kind that is newer than this client.
    assert outcome() == Skipped(frame_id=9, reason=SkipReason.UNKNOWN, frames_skipped_before=2)


def test_a_model_is_converted_in_full() -> None:
    model = model_from_message(small_model())
    assert (model.name, model.version, model.precision) == ("small", "small@1", Precision.FP32)
    assert model.input_sizes == (InputSize(64, 48),)
    assert model.skeleton.keypoint_names == ("nose", "left_eye", "right_eye")
    assert model.skeleton.oks_sigmas == (0.5, 0.5, 0.5)
    assert (model.skeleton.edges, model.skeleton.flip_pairs) == (((0, 1),), ((1, 2),))
    options = model.default_options
    assert (options.max_poses, options.min_pose_score, options.refine) == (30, 0.25, True)
    assert options.region_of_interest is None
    broken = small_model()
    broken.default_options.min_pose_score = float("nan")
    with pytest.raises(ProtocolError, match="the default min_pose_score: got nan, want a number"):
        model_from_message(broken)
    newer = model_pb2.Model(name="newer")
    newer.precision = 9  # type: ignore[assignment]
    assert model_from_message(newer).precision is Precision.UNKNOWN
