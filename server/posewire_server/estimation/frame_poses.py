"""The poses in a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin

_ABSENT = np.uint8(Origin.ABSENT)  # an array takes five times as long to compare with an enum


@dataclass(frozen=True, slots=True, eq=False)
class FramePoses:
    """N poses of K keypoints in frame space.

    `keypoints` (N, K, 2): x, y in pixels of the frame, possibly a little outside of it; (0, 0)
    where absent. `keypoint_scores` (N, K), `origins` (N, K) and `scores` (N,) as the decoder's.
    `track_ids` (N,): from 1, 0 for a pose without a track; None where nobody is followed.
    """

    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    scores: NDArray[np.float32]
    track_ids: NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(N, 4): x_min, y_min, x_max and y_max of each pose's keypoints that are not absent."""
        is_absent = (self.origins == _ABSENT)[..., None]
        least = np.where(is_absent, np.float32(np.inf), self.keypoints).min(axis=1)
        most = np.where(is_absent, np.float32(-np.inf), self.keypoints).max(axis=1)
        return np.concatenate((least, most), axis=1)
