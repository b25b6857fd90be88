"""Joining duplicates again, in plain NumPy: every pair is measured, however far apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin

_LEAST_AREA = 1.0


def join_duplicates(
    keypoints: NDArray[np.float32],
    keypoint_scores: NDArray[np.float32],
    origins: NDArray[np.uint8],
    *,
    oks_sigmas: Sequence[float],
    oks_threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """What `posewire_decoder.join_duplicates` answers."""
    person = _person_of_each(oks_of_pairs(keypoints, origins, oks_sigmas) > oks_threshold)
    peaks = np.where(origins == Origin.DETECTED, keypoint_scores, 0)
    people = np.unique(person)
    pose_of = np.empty((len(people), keypoints.shape[1]), np.intp)
    for row, best in enumerate(people):
        members = np.flatnonzero(person == best)
        heat = peaks[members]
        heat[0] = keypoint_scores[best]
        pose_of[row] = members[heat.argmax(axis=0)]
    columns = np.arange(keypoints.shape[1])
    scores = peaks[pose_of, columns].mean(axis=1, dtype=np.float64).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    chosen = pose_of[order], columns
    return keypoints[chosen], keypoint_scores[chosen], origins[chosen], scores[order]


def oks_of_pairs(
    keypoints: NDArray[np.float32], origins: NDArray[np.uint8], oks_sigmas: Sequence[float]
) -> NDArray[np.float64]:
    """OKS (N, N) of a pose, the row, with a weaker one; 0 where that has no keypoint."""
    present = origins != Origin.ABSENT
    places = keypoints.astype(np.float64)
    areas = _areas(places, present)
    areas = (areas[:, None] + areas) / 2
    variances = np.square(2 * np.array(oks_sigmas))
    squared = np.square(places[:, None] - places).sum(axis=3)
    similar = np.exp(-squared / (2 * areas[..., None] * variances))
    similar *= present[:, None] & present
    oks: NDArray[np.float64] = similar.sum(axis=2) / np.maximum(present.sum(axis=1), 1)
    return oks


def _areas(places: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The areas (N,) of the boxes around the keypoints that are there."""
    areas = np.full(len(places), _LEAST_AREA)
    for pose in np.flatnonzero(present.any(axis=1)):
        areas[pose] = max(_LEAST_AREA, np.prod(np.ptp(places[pose, present[pose]], axis=0)))
    return areas


def _person_of_each(is_same: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each pose the index of the best pose of the same person, its own if it is that."""
    person = np.arange(len(is_same))
    for better, weaker in np.argwhere(np.triu(is_same, k=1)):
        if person[better] == better and person[weaker] == weaker:
            person[weaker] = better
    return person
