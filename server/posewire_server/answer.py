"""Poses and stage times as messages."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from google.protobuf import duration_pb2

from posewire.v1 import estimate_pb2, pose_pb2
from posewire_decoder import Origin
from posewire_server.pipeline import FramePoses, StageTimes


def poses_to_proto(poses: FramePoses) -> list[pose_pb2.Pose]:
    """In the same order."""
    return [
        pose_pb2.Pose(
            score=poses.scores[i], box=_box(poses, i), keypoints=list(_keypoints(poses, i))
        )
        for i in range(len(poses))
    ]


def stage_times_to_proto(
    times: StageTimes, *, waited_secs: float, total_secs: float
) -> estimate_pb2.StageTimes:
    """`waited_secs` went by before the first stage, and count as queue."""
    decode = times.image_decode_secs
    return estimate_pb2.StageTimes(
        image_decode_duration=None if decode is None else duration(decode),
        queue_duration=duration(waited_secs + times.queue_secs),
        letterbox_duration=duration(times.letterbox_secs),
        inference_duration=duration(times.inference_secs),
        grouping_duration=duration(times.grouping_secs),
        total_duration=duration(total_secs),
    )


def duration(secs: float) -> duration_pb2.Duration:
    value = duration_pb2.Duration()
    value.FromNanoseconds(max(0, round(1e9 * secs)))
    return value


def _box(poses: FramePoses, i: int) -> pose_pb2.Box:
    there = poses.keypoints[i][poses.origins[i] != Origin.ABSENT]
    (x_min, y_min), (x_max, y_max) = np.min(there, axis=0), np.max(there, axis=0)
    return pose_pb2.Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def _keypoints(poses: FramePoses, i: int) -> Iterator[pose_pb2.Keypoint]:
    # Plain lists, because elements of arrays cost three times as much.
    places, scores = poses.keypoints[i].tolist(), poses.keypoint_scores[i].tolist()
    for (x, y), score, origin in zip(places, scores, poses.origins[i].tolist(), strict=True):
        yield pose_pb2.Keypoint(x=x, y=y, score=score, origin=origin)
