"""One pose for each person: those that lie on each other are joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin
from posewire_server.frame_poses import FramePoses

# docs/accuracy.md has what other values do.
_OKS_OF_ONE_PERSON = 0.5
# In square pixels; of a pose whose keypoints lie in a line or in one point.
_LEAST_AREA = 1.0


def joined(poses: FramePoses, oks_sigmas: Sequence[float]) -> FramePoses:
    """The poses, best first before and after, in which nobody occurs twice.

    A pose whose object keypoint similarity (OKS) with a better one exceeds 0.5 is its duplicate
    and left out. Peaks of the duplicate that are warmer than what the better pose has there pass
    over to it: where grouping splits a person, or gives it the peak of an echo, the right ones are
    in the duplicate.
    """
    if len(poses) < 2:
        return poses
    person = _person_of_each(poses, 4 * np.square(oks_sigmas, dtype=np.float32))
    people = np.flatnonzero(person == np.arange(len(poses)))
    if len(people) == len(poses):
        return poses
    return _with_warmest_keypoints(poses, person, people)


def _person_of_each(poses: FramePoses, variances: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each pose the index of the best pose of the same person, its own if it is that."""
    person = np.arange(len(poses))
    for better, weaker in _duplicates(poses, variances):
        if person[better] == better and person[weaker] == weaker:
            person[weaker] = better
    return person


def _duplicates(
    poses: FramePoses, variances: NDArray[np.float32]
) -> Iterable[tuple[np.intp, np.intp]]:
    """The pairs of a pose and a weaker one that lies on it, in rising order.

    OKS as COCO defines it, over the keypoints that the weaker pose has; in one that the better pose
    lacks they are not similar. The area is the mean of both.
    """
    present = poses.origins != Origin.ABSENT
    low, high = _boxes(poses.keypoints, present)
    areas = np.maximum(np.prod(high - low, axis=1), _LEAST_AREA)
    areas = (areas[:, None] + areas) / 2
    # For an OKS above that, one keypoint at least is within this distance.
    reach = np.sqrt(2 * log(1 / _OKS_OF_ONE_PERSON) * variances.max() * areas)
    gaps = np.maximum(low[:, None] - high, low - high[:, None]).max(axis=2)
    better, weaker = np.nonzero(np.triu(gaps < reach, k=1))
    offsets = poses.keypoints[better] - poses.keypoints[weaker]
    squared = np.einsum("pkc,pkc->pk", offsets, offsets)
    similar = np.exp(-squared / (2 * areas[better, weaker, None] * variances))
    similar *= present[better] & present[weaker]
    is_same = similar.sum(axis=1) / present[weaker].sum(axis=1) > _OKS_OF_ONE_PERSON
    return zip(better[is_same], weaker[is_same], strict=True)


def _boxes(
    keypoints: NDArray[np.float32], present: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The corners (N, 2) of least and of greatest x and y of the keypoints that are present."""
    there = present[..., None]
    return (
        np.min(keypoints, axis=1, where=there, initial=np.inf),
        np.max(keypoints, axis=1, where=there, initial=-np.inf),
    )


def _with_warmest_keypoints(
    poses: FramePoses, person: NDArray[np.intp], people: NDArray[np.intp]
) -> FramePoses:
    """One pose for each of the `people`, with the scores that their keypoints make."""
    peaks = np.where(poses.origins == Origin.DETECTED, poses.keypoint_scores, 0)
    heat = peaks.copy()
    heat[people] = poses.keypoint_scores[people]
    by_person = np.lexsort((-heat.T, np.broadcast_to(person, heat.T.shape)))
    first = np.searchsorted(np.sort(person), people)
    warmest = by_person[:, first].T, np.arange(heat.shape[1])
    scores = peaks[warmest].mean(axis=1, dtype=np.float64).astype(np.float32)
    joint = FramePoses(
        poses.keypoints[warmest], poses.keypoint_scores[warmest], poses.origins[warmest], scores
    )
    return joint.chosen(np.argsort(-scores, kind="stable"))
