"""Convert poses to records of a COCO keypoint results file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from posewire_client.pose import Pose


def coco_records(poses: Iterable[Pose], *, image_id: int, category_id: int) -> list[dict[str, Any]]:
    """Return one record per person; keypoints are flattened to x, y, score.

    A tracked person has a `track_id` as well, as in PoseTrack's results.
    """
    return [
        {
            "image_id": image_id,
            "category_id": category_id,
            "keypoints": np.column_stack([pose.keypoints, pose.keypoint_scores]).ravel().tolist(),
            "score": pose.score,
            **({} if pose.track_id is None else {"track_id": pose.track_id}),
        }
        for pose in poses
    ]
