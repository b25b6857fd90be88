"""What the network should answer for a batch of scenes.

A keypoint at x (pixels of the input, centre of the first pixel at 0) lies at cell x/stride - 0.5:
the mean over x of HigherHRNet's convention, which rounds x/stride down. The server adds that half
cell again as the model's delta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_server.skeleton import COCO

_KEYPOINT_COUNT = len(COCO.names)
_REACH_IN_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Gaussian:
    """How a keypoint is painted: at a cell size of `stride` pixels, `deviation` in cells."""

    stride: int
    deviation: float


QUARTER = Gaussian(stride=4, deviation=1.5)
HALF = Gaussian(stride=2, deviation=2.0)


def heatmaps(
    keypoints: NDArray[np.floating[Any]],
    labelled: NDArray[np.bool_],
    *,
    size: int,
    gaussian: Gaussian,
) -> NDArray[np.float32]:
    """Maps (B, size/stride, size/stride, K) with a peak of 1 at each labelled keypoint.

    `keypoints` (B, P, K, 2) are x, y in pixels of the input; `labelled` is (B, P, K). Where people
    meet the warmer one counts. Channels come last, as they lie in memory in the network's output.
    """
    cells = size // gaussian.stride
    maps = np.zeros((len(keypoints), cells, cells, _KEYPOINT_COUNT), dtype=np.float32)
    batch, _, keypoint = np.nonzero(labelled)
    centres = cells_from_pixels(keypoints[labelled], stride=gaussian.stride)
    reach = int(np.ceil(_REACH_IN_DEVIATIONS * gaussian.deviation))
    steps = np.arange(-reach, reach + 1)
    nearest = np.rint(centres).astype(np.int64)
    at = nearest[:, :, None] + steps
    weights = np.exp(-((at - centres[:, :, None]) ** 2) / (2 * gaussian.deviation**2))
    weights[(at < 0) | (at >= cells)] = 0
    patches = weights[:, 1, :, None] * weights[:, 0, None, :]
    x, y = at.clip(0, cells - 1).transpose(1, 0, 2)
    rows = batch[:, None] * cells + y
    flat = (rows[:, :, None] * cells + x[:, None, :]) * _KEYPOINT_COUNT + keypoint[:, None, None]
    np.maximum.at(maps.reshape(-1), flat.ravel(), patches.astype(np.float32).ravel())
    return maps


def cells_from_pixels(keypoints: NDArray[np.floating[Any]], *, stride: int) -> NDArray[np.float64]:
    """Where keypoints in pixels of the input lie on a map whose cells are `stride` pixels wide."""
    return np.asarray(keypoints, dtype=np.float64) / stride - 0.5
