"""People, as the server found them.

Coordinates are in frame space: pixels of the image as sent, the centre of the top-left pixel being
(0, 0), x growing to the right and y downwards.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class Origin(enum.IntEnum):
    """How a keypoint's position was found. All but ABSENT have a position."""

    UNKNOWN = 0
    """In a way that is newer than this client."""
    DETECTED = 1
    """It has a peak of its own in the network's output."""
    INFERRED = 2
    """It has none, and was placed where the network's output fits the person best."""
    ABSENT = 3
    """There is no position."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box with sides parallel to the axes of frame space; all edges belong to it."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True)
class Keypoint:
    """One body point; x, y and score are 0 if the origin is ABSENT."""

    x: float
    y: float
    score: float
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pose:
    """One person: `keypoints` (K, 2), `keypoint_scores` (K,) and `origins` (K,), read-only.

    The order is that of the model's skeleton; ABSENT keypoints are at (0, 0) with a score of 0.
    `track_id` is None unless the stream tracks and the person belongs to a track.
    """

    score: float
    box: Box
    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    track_id: int | None

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, k: int) -> Keypoint:
        x, y = self.keypoints[k].tolist()
        return Keypoint(x, y, float(self.keypoint_scores[k]), Origin(int(self.origins[k])))
