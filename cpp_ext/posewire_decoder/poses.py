"""Poses, as decoders return them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Origin(IntEnum):
    """Where a keypoint comes from. The values are those of KeypointOrigin on the wire."""

    DETECTED = 1
    """It has a peak of its own."""
    INFERRED = 2
    """It had none; refine took the best cell near the pose and its tag."""
    ABSENT = 3
    """It was not found."""


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """N poses of K keypoints, best score first (`ReferenceDecoder` has exceptions of its own).

    `keypoints` (N, K, 2): x, y in heatmap cells; (0, 0) where absent. With the default delta of
    0.5 the centre of cell i is at i + 0.5.
    `keypoint_scores` (N, K): heat at the keypoint's cell, in [0, 1]; 0 where absent.
    `origins` (N, K): values of `Origin`.
    `scores` (N,): mean score of the K keypoints before refine, missing ones counting 0; in [0, 1].
    `tags` (N, L): mean tag of the detected keypoints.
    """

    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    scores: NDArray[np.float32]
    tags: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)
