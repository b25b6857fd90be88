"""Poses as the server writes them down."""

from __future__ import annotations

import numpy as np
import pytest

from posewire.v1 import pose_pb2
from posewire_decoder import Origin
from posewire_server.estimation.pipeline import FramePoses
from posewire_server.serving.answer import poses_to_proto


def test_a_box_leaves_out_keypoints_without_a_position() -> None:
    keypoints = np.array([[[5, 40], [0, 0], [9.5, 30], [7, 35]]], np.float32)
    scores = np.array([[0.5, 0, 0.25, 0.75]], np.float32)
    origins = np.array(
        [[Origin.DETECTED, Origin.ABSENT, Origin.INFERRED, Origin.DETECTED]], np.uint8
    )
    (pose,) = poses_to_proto(FramePoses(keypoints, scores, origins, np.array([0.5], np.float32)))
    assert (pose.box.x_min, pose.box.y_min, pose.box.x_max, pose.box.y_max) == (5, 30, 9.5, 40)
    assert [(each.x, each.y, each.score, each.origin) for each in pose.keypoints] == [
        (5, 40, 0.5, Origin.DETECTED),
        (0, 0, 0, Origin.ABSENT),
        (9.5, 30, 0.25, Origin.INFERRED),
        (7, 35, 0.75, Origin.DETECTED),
    ]


@pytest.mark.parametrize("keypoint_count", [1, 17, 133])
@pytest.mark.parametrize("people", [0, 1, 30])
def test_poses_are_the_messages_that_their_numbers_make(people: int, keypoint_count: int) -> None:
    chance = np.random.default_rng(people + keypoint_count)
    shape = (people, keypoint_count)
    origins = chance.integers(Origin.DETECTED, Origin.ABSENT, shape, np.uint8, endpoint=True)
    origins[:, 0] = Origin.DETECTED
    is_absent = origins == Origin.ABSENT
    keypoints = np.where(is_absent[..., None], 0, chance.normal(0, 2000, (*shape, 2)))
    keypoint_scores = np.where(is_absent, 0, chance.random(shape))
    poses = FramePoses(
        keypoints.astype(np.float32),
        keypoint_scores.astype(np.float32),
        origins,
        chance.random(people).astype(np.float32),
    )
    messages = poses_to_proto(poses)
    assert messages == [message_of(poses, i) for i in range(people)]


def message_of(poses: FramePoses, i: int) -> pose_pb2.Pose:
    found = poses.keypoints[i][poses.origins[i] != Origin.ABSENT]
    (x_min, y_min), (x_max, y_max) = found.min(axis=0), found.max(axis=0)
    columns = poses.keypoints[i], poses.keypoint_scores[i], poses.origins[i]
    return pose_pb2.Pose(
        score=poses.scores[i],
        box=pose_pb2.Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max),
        keypoints=[
            pose_pb2.Keypoint(x=x, y=y, score=score, origin=int(origin))
            for (x, y), score, origin in zip(*columns, strict=True)
        ],
    )
