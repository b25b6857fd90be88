"""Convert poses to the JSON document that OpenPose writes for an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_client.pose import Origin, Pose

COCO_KEYPOINTS = 17
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6
NECK = COCO_KEYPOINTS  # appended to the COCO keypoints

# The COCO index of each keypoint of OpenPose's COCO model: nose, neck, right arm, left arm, right
# leg, left leg, then eyes and ears, right before left.
OPENPOSE_FROM_COCO = (0, NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)

# OpenPose always writes these lists. posewire leaves them empty.
_NOT_ESTIMATED = (
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "hand_right_keypoints_2d",
    "pose_keypoints_3d",
    "face_keypoints_3d",
    "hand_left_keypoints_3d",
    "hand_right_keypoints_3d",
)


def openpose_document(poses: Iterable[Pose]) -> dict[str, Any]:
    """Return the document. `person_id` is the track id, or -1 as in OpenPose without tracking."""
    return {"version": 1.3, "people": [_person(pose) for pose in poses]}


def _person(pose: Pose) -> dict[str, Any]:
    if len(pose) != COCO_KEYPOINTS:
        raise ValueError(
            f"the pose has {len(pose)} keypoints; OpenPose's COCO order is defined only for the "
            f"{COCO_KEYPOINTS} of COCO"
        )
    points = np.column_stack([pose.keypoints, pose.keypoint_scores])
    points = np.vstack([points, _neck(pose)])[list(OPENPOSE_FROM_COCO)]
    return {
        "person_id": [-1 if pose.track_id is None else pose.track_id],
        "pose_keypoints_2d": points.ravel().tolist(),
        **{name: [] for name in _NOT_ESTIMATED},
    }


def _neck(pose: Pose) -> NDArray[np.float32]:
    shoulders = [LEFT_SHOULDER, RIGHT_SHOULDER]
    if (pose.origins[shoulders] == Origin.ABSENT).any():
        return np.zeros(3, np.float32)
    middle = pose.keypoints[shoulders].mean(axis=0)
    return np.append(middle, pose.keypoint_scores[shoulders].min())
