"""One pose for each person: those that lie on each other are joined."""

from __future__ import annotations

from collections.abc import Sequence

from posewire_decoder import join_duplicates
from posewire_server.estimation.frame_poses import FramePoses

# docs/accuracy.md has what other values do.
_OKS_OF_ONE_PERSON = 0.5


def joined(poses: FramePoses, oks_sigmas: Sequence[float]) -> FramePoses:
    """The poses, best first before and after, in which nobody occurs twice."""
    people = join_duplicates(
        poses.keypoints,
        poses.keypoint_scores,
        poses.origins,
        oks_sigmas=oks_sigmas,
        oks_threshold=_OKS_OF_ONE_PERSON,
    )
    return FramePoses(*people)
