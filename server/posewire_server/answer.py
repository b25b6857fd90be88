"""Poses and stage times as messages."""

from __future__ import annotations

from google.protobuf import duration_pb2

from posewire.v1 import estimate_pb2, pose_pb2
from posewire_decoder import Origin
from posewire_server.frame_poses import FramePoses
from posewire_server.pipeline import StageTimes


def poses_to_proto(poses: FramePoses) -> list[pose_pb2.Pose]:
    """In the same order."""
    return [_pose(poses, i) for i in range(len(poses))]


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


def _pose(poses: FramePoses, i: int) -> pose_pb2.Pose:
    # Plain lists, because elements and small pieces of arrays cost three times as much.
    columns = (poses.keypoints, poses.keypoint_scores, poses.origins)
    rows = list(zip(*(column[i].tolist() for column in columns), strict=True))
    return pose_pb2.Pose(
        score=poses.scores[i],
        box=_box([place for place, _, origin in rows if origin != Origin.ABSENT]),
        keypoints=[
            pose_pb2.Keypoint(x=x, y=y, score=score, origin=origin)
            for (x, y), score, origin in rows
        ],
    )


def _box(places: list[list[float]]) -> pose_pb2.Box:
    xs, ys = zip(*places, strict=True)
    return pose_pb2.Box(x_min=min(xs), y_min=min(ys), x_max=max(xs), y_max=max(ys))
