"""Duplicate poses of one person, joined into one."""

from __future__ import annotations

from collections.abc import Sequence

from posewire_decoder import join_duplicates
from posewire_server.estimation.frame_poses import FramePoses

# Where COCO begins to match two poses; docs/decoding.md says more.
_SAME_PERSON_OKS = 0.5


def join_people(poses: FramePoses, oks_sigmas: Sequence[float]) -> FramePoses:
    """Join poses that are one person's; the best come first, before and after."""
    people = join_duplicates(
        poses.keypoints,
        poses.keypoint_scores,
        poses.origins,
        oks_sigmas=oks_sigmas,
        oks_threshold=_SAME_PERSON_OKS,
    )
    return FramePoses(*people)
