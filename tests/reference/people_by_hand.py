"""Scenes that a test can name: single cells of heat, and people in one fixed posture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin, Poses
from tests.reference.painting import Evidence, joined, paint, suppress_non_maxima
from tests.reference.people import KEYPOINT_COUNT

Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

# (x, y) from the middle of the body in body heights, facing the camera: left is on the right.
NOSE = [(0.0, -0.42)]
LEFT_SIDE = {
    "eye": (0.03, -0.45),
    "ear": (0.06, -0.43),
    "shoulder": (0.12, -0.30),
    "elbow": (0.16, -0.15),
    "wrist": (0.17, 0.0),
    "hip": (0.07, 0.02),
    "knee": (0.08, 0.24),
    "ankle": (0.08, 0.46),
}
STANDING = np.array(NOSE + [(sign * x, y) for x, y in LEFT_SIDE.values() for sign in (1, -1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One cell with heat, all around it without."""

    keypoint: int = 0
    x: int
    y: int
    heat: float = 0.8
    tag: float = 0.0


def spots(
    *found: Spot, keypoints: int, width: int, height: int, background_tag: float = 0.0
) -> Maps:
    """Signed heatmaps and tags (keypoints, height, width) with nothing but these cells."""
    heatmaps = np.zeros((keypoints, height, width), np.float32)
    tags = np.full_like(heatmaps, background_tag)
    for spot in found:
        heatmaps[spot.keypoint, spot.y, spot.x] = spot.heat
        tags[spot.keypoint, spot.y, spot.x] = spot.tag
    return heatmaps, tags


def standing(
    x: float,
    y: float,
    *,
    tag: float,
    height: float = 60.0,
    amplitudes: float | NDArray[np.float64] = 0.8,
) -> Evidence:
    """One person whose body's middle is at (x, y); `amplitudes` is one number or (17,)."""
    return Evidence(
        keypoints=(STANDING * height + [x, y])[None],
        amplitudes=np.broadcast_to(amplitudes, (1, KEYPOINT_COUNT)).astype(np.float64),
        tags=np.full((1, KEYPOINT_COUNT), tag),
    )


def network_output(people: Sequence[Evidence], *, width: int, height: int) -> Maps:
    """Signed heatmaps and tags (17, height, width) without noise."""
    heatmaps, tags = paint(np.random.default_rng(0), joined(*people), width=width, height=height)
    return suppress_non_maxima(heatmaps), tags


def owners(poses: Poses, people: Sequence[Evidence]) -> NDArray[np.int64]:
    """Whose keypoint each keypoint (P, K) of the poses is: the index of the nearest person.

    -1 where it is not detected or further than a cell from everybody's; delta 0.5 is assumed.
    """
    truth = joined(*people).keypoints
    squares = ((poses.keypoints[:, None] - truth[None]) ** 2).sum(axis=3)
    detected = poses.origins == Origin.DETECTED
    return np.where(detected & (squares.min(axis=1) < 1), squares.argmin(axis=1), -1)


def all_whole(poses: Poses, people: Sequence[Evidence]) -> bool:
    """Whether every person is one pose, with all keypoints detected, and there are no others."""
    rows = sorted(owners(poses, people).tolist())
    return rows == [[person] * KEYPOINT_COUNT for person in range(len(people))]
