"""Outcomes made by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import (
    Box,
    FrameFailure,
    InvalidArgumentError,
    Origin,
    Outcome,
    Pose,
    Result,
    Skeleton,
    Skipped,
    SkipReason,
    StageTimes,
)
from posewire_server.skeleton import COCO

SKELETON = Skeleton(
    keypoint_names=COCO.names,
    oks_sigmas=COCO.oks_sigmas,
    edges=COCO.edges,
    flip_pairs=COCO.flip_pairs,
)
TIMES = StageTimes(
    image_decode_secs=None,
    queue_secs=0.001,
    letterbox_secs=0.002,
    inference_secs=0.0305,
    grouping_secs=0.004,
    total_secs=0.0375,
)
FAILED = FrameFailure(
    frame_id=1, error=InvalidArgumentError("got noise", reason="IMAGE_UNDECODABLE")
)
SKIPPED = Skipped(frame_id=1, reason=SkipReason.SUPERSEDED)


def standing(x: float, *, score: float = 0.75) -> Pose:
    """A pose with its keypoints in a column from (x, 0) down. The nose is ABSENT."""
    keypoints = np.stack([np.full(17, x), 4.0 * np.arange(17)], axis=1).astype(np.float32)
    origins = np.full(17, Origin.DETECTED, np.uint8)
    scores = np.full(17, 0.5, np.float32)
    keypoints[0], scores[0], origins[0] = 0, 0, Origin.ABSENT
    return Pose(
        score=score,
        box=Box(x, 4, x, 64),
        keypoints=keypoints,
        keypoint_scores=scores,
        origins=origins,
        track_id=None,
    )


def result(*poses: Pose) -> Result:
    """A result with these poses, in an image of 64x96."""
    return Result(
        poses=poses,
        model="painted",
        model_version="7",
        image_width=64,
        image_height=96,
        stage_times=TIMES,
    )


def answered(
    outcome: Outcome, *, number: int = 3, pixels: NDArray[np.uint8] | None = None
) -> AnsweredImage:
    """A frame of a video called `walk`."""
    frame = np.full((96, 64, 3), 128, np.uint8) if pixels is None else pixels
    return AnsweredImage(
        name=f"frame {number}",
        labels={"source": "walk.mp4", "frame": number},
        image_id=number,
        file_stem=f"walk_{number:012d}",
        pixels=lambda: frame,
        outcome=outcome,
    )
