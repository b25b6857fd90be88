"""Joins duplicate poses of one person."""

from __future__ import annotations

from collections.abc import Sequence

from posewire_decoder import join_duplicates
from posewire_server.estimation.frame_poses import FramePoses

# The lowest OKS at which COCO matches two poses; see docs/decoding.md.
_SAME_PERSON_OKS = 0.5


def join_people(poses: FramePoses, oks_sigmas: Sequence[float]) -> FramePoses:
    """Join poses of one person; both the input and the result have the best first."""
    people = join_duplicates(
        poses.keypoints,
        poses.keypoint_scores,
        poses.origins,
        oks_sigmas=oks_sigmas,
        oks_threshold=_SAME_PERSON_OKS,
    )
    return FramePoses(*people)
