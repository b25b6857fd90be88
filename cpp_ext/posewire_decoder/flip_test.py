"""Combine a network's outputs for an image and for its mirror image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import indices


def merge_mirrored(
    heatmaps: NDArray[np.float32],
    tags: NDArray[np.float32],
    mirrored_heatmaps: NDArray[np.float32],
    mirrored_tags: NDArray[np.float32],
    *,
    mirrored_keypoints: Sequence[int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one output: heatmaps (K, H, W) and tags (K, H, W, 2 L).

    `heatmaps` and `tags` as for `Decoder.decode`, of a network that negates non-maxima;
    `mirrored_heatmaps` and `mirrored_tags` of the same shapes are its output for the mirror image
    of its whole input, padding included. `mirrored_keypoints`: for each of the K keypoints the one
    that it is in a mirror image, such as the right eye for the left.

    The heat of a cell is the mean of both, and its tag has the components of both: networks give a
    person another tag in the mirror image. The result is unsigned, for a decoder whose option `nms`
    is "decoder". A cell that is not finite in one output is not finite in the result.

    Runs without the GIL. Raises `TypeError` and `ValueError` as `Decoder.decode` does.

    HigherHRNet (Cheng et al., 2020) combines outputs in this way.
    """
    return _core.merge_mirrored(
        heatmaps,
        tags,
        mirrored_heatmaps,
        mirrored_tags,
        mirrored_keypoints=indices("mirrored_keypoints", mirrored_keypoints),
    )
