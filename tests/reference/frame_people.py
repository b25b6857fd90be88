"""The people in a frame again, in plain NumPy: mapped, joined and selected step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import pose_pb2
from posewire_decoder import Decoder, FrameFromHeatmap, Origin, join_duplicates

Arrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which people, as in `PeopleDecoder.decode`."""

    max_poses: int | None = None
    min_pose_score: float = 0.0
    min_keypoint_score: float = 0.0
    refine: bool = True


def decode_people(
    decoder: Decoder,
    heatmaps: NDArray[np.float32],
    tags: NDArray[np.float32],
    frame_from_heatmap: FrameFromHeatmap,
    wanted: Wanted,
    *,
    oks_sigmas: Sequence[float],
    oks_threshold: float,
    max_candidates: int,
) -> Arrays:
    """What a `PeopleDecoder` of this decoder answers."""
    found = decoder.decode(heatmaps, tags, max_poses=max_candidates, refine=wanted.refine)
    scale, shift = np.reshape(frame_from_heatmap, (2, 2))
    keypoints = found.keypoints * scale - shift
    keypoints[found.origins == Origin.ABSENT] = 0
    people = join_duplicates(
        keypoints.astype(np.float32),
        found.keypoint_scores,
        found.origins,
        oks_sigmas=oks_sigmas,
        oks_threshold=oks_threshold,
    )
    return select(people, wanted)


def select(people: Arrays, wanted: Wanted) -> Arrays:
    """Apply the thresholds and the limit to people sorted best first."""
    keypoints, keypoint_scores, origins, scores = people
    is_wanted = scores >= np.float32(wanted.min_pose_score)
    if wanted.min_keypoint_score > 0:
        kept = keypoint_scores >= np.float32(wanted.min_keypoint_score)
        keypoints = np.where(kept[..., None], keypoints, np.float32(0))
        keypoint_scores = np.where(kept, keypoint_scores, np.float32(0))
        origins = np.where(kept, origins, np.uint8(Origin.ABSENT))
        is_wanted &= (origins != Origin.ABSENT).any(axis=1)
    chosen = np.flatnonzero(is_wanted)[: wanted.max_poses]
    return keypoints[chosen], keypoint_scores[chosen], origins[chosen], scores[chosen]


def pose_messages(people: Arrays, track_ids: Sequence[int] | None = None) -> list[pose_pb2.Pose]:
    """The poses as protobuf's messages; an id of 0 is none."""
    messages = []
    for i, (keypoints, keypoint_scores, origins, score) in enumerate(zip(*people, strict=True)):
        message = pose_pb2.Pose(score=score, box=_box(keypoints[origins != Origin.ABSENT]))
        for (x, y), keypoint_score, origin in zip(
            keypoints.tolist(), keypoint_scores.tolist(), origins.tolist(), strict=True
        ):
            message.keypoints.add(x=x, y=y, score=keypoint_score, origin=origin)
        if track_ids is not None and track_ids[i]:
            message.track_id = track_ids[i]
        messages.append(message)
    return messages


def _box(keypoints: NDArray[Any]) -> pose_pb2.Box:
    columns, rows = keypoints.T.tolist() if len(keypoints) else ([], [])
    # Python's own functions keep the first of equals, which 0.0 and -0.0 are.
    return pose_pb2.Box(
        x_min=min([float("inf"), *columns]),
        y_min=min([float("inf"), *rows]),
        x_max=max([float("-inf"), *columns]),
        y_max=max([float("-inf"), *rows]),
    )
