"""Poses as the server writes them down."""

from __future__ import annotations

import numpy as np

from posewire_decoder import Origin
from posewire_server.answer import poses_to_proto
from posewire_server.pipeline import FramePoses


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
