"""Poses and keypoints.

Coordinates are in frame space: pixels of the image, after its EXIF orientation if that is applied,
with (0, 0) at the centre of the top-left pixel, x to the right and y down.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_client.skeleton import Skeleton, unknown_skeleton


class Origin(enum.IntEnum):
    """How a keypoint was located. All values but ABSENT come with a position."""

    UNKNOWN = 0
    """A value that is newer than this client."""
    DETECTED = 1
    """At a peak of its own in the network's output."""
    INFERRED = 2
    """Without a peak, where the network's output best fits the person."""
    ABSENT = 3
    """Not located."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in frame space, edges included."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True)
class Keypoint:
    """One body point. x, y and score are 0 if the origin is ABSENT."""

    x: float
    y: float
    score: float
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pose:
    """One person: `keypoints` (K, 2), `keypoint_scores` (K,) and `origins` (K,), read-only.

    Keypoints are in the order of the model's skeleton; ABSENT ones are (0, 0) with score 0.
    `pose[k]` is one of them, by its index or by its name, such as `pose["left_wrist"]`. `track_id`
    is None unless the stream tracks and the pose belongs to a track.
    """

    score: float
    box: Box
    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    track_id: int | None
    skeleton: Skeleton | None = None
    """None only if the server has described none."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """The names of the keypoints; numbers if the server has described none."""
        return (self.skeleton or unknown_skeleton(len(self))).keypoint_names

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, k: int | str) -> Keypoint:
        if isinstance(k, str):
            k = (self.skeleton or unknown_skeleton(len(self))).index_of(k)
        x, y = self.keypoints[k].tolist()
        return Keypoint(x, y, float(self.keypoint_scores[k]), Origin(int(self.origins[k])))
