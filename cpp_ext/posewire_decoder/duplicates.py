"""Join several poses of one person into one."""

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
    """Return keypoints, keypoint scores, origins and scores of one pose per person, best first.

    A pose is a duplicate of a better one if their object keypoint similarity (OKS) exceeds
    `oks_threshold`, in (0, 1]. The better pose takes the peaks of the duplicate that are warmer
    than its own keypoints: where grouping splits a person, or gives it the peak of an echo, the
    duplicate has the right ones.

    `keypoints` float32 (N, K, 2), `keypoint_scores` float32 (N, K) and `origins` uint8 (N, K), all
    C-contiguous: poses as in `Poses`, best first, in any space whose unit is small compared with a
    person. `oks_sigmas`: K numbers. A returned score is the mean score of the K keypoints, those
    that were not detected counting 0.

    Raises `TypeError` for arrays and numbers of other types, `ValueError` for a memory layout,
    shape or value that does not fit. Both name the argument, what it got and what it wants.

    OKS is COCO's, over the keypoints that the weaker pose has; one that the better pose lacks adds
    0. The area is the mean of the areas of the boxes around both, each at least 1.
    """
    return _core.join_duplicates(
        keypoints,
        keypoint_scores,
        origins,
        oks_sigmas=numbers("oks_sigmas", oks_sigmas),
        oks_threshold=number("oks_threshold", oks_threshold),
    )
