"""Several poses of one person, made into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import number, numbers


def join_duplicates(
    keypoints: NDArray[np.float32],
    keypoint_scores: NDArray[np.float32],
    origins: NDArray[np.uint8],
    *,
    oks_sigmas: Sequence[float],
    oks_threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """Keypoints, keypoint scores, origins and scores of the poses that are left, best first.

    A pose whose object keypoint similarity (OKS) with a better one exceeds `oks_threshold`, in
    (0, 1], is its duplicate and left out. Peaks of the duplicate that are warmer than what the
    better pose has there pass over to it: where grouping splits a person, or gives it the peak of
    an echo, the right ones are in the duplicate.

    `keypoints` float32 (N, K, 2), `keypoint_scores` float32 (N, K) and `origins` uint8 (N, K), all
    C-contiguous: poses as `Poses` has them, best first, in any space whose unit is small beside a
    person. `oks_sigmas`: K numbers. A score of the answer is the mean score of the K keypoints,
    those that were not detected counting 0.

    Raises `TypeError` for arrays and numbers of other types, `ValueError` for a memory layout,
    shape or value that does not fit; both name the argument, what came and what is wanted.

    OKS is COCO's, over the keypoints that the weaker pose has; where the better one lacks them they
    are not similar. The area is the mean of the boxes around both, each at least 1.
    """
    return _core.join_duplicates(
        keypoints,
        keypoint_scores,
        origins,
        oks_sigmas=numbers("oks_sigmas", oks_sigmas),
        oks_threshold=number("oks_threshold", oks_threshold),
    )
