"""The outputs for an image and its mirror image combined, in plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def mirror(maps: Floats, mirrored_keypoints: Sequence[int]) -> Floats:
    """Return maps (K, H, W, ...) as those of the mirror image, in the same order of keypoints."""
    mirrored: Floats = maps[np.array(mirrored_keypoints)][:, :, ::-1]
    return mirrored


def merge_mirrored(
    heatmaps: Floats,
    tags: Floats,
    mirrored_heatmaps: Floats,
    mirrored_tags: Floats,
    *,
    mirrored_keypoints: Sequence[int],
) -> tuple[Floats, Floats]:
    """Merge as `posewire_decoder.merge_mirrored` does, for tags with a component axis."""
    half = np.float32(0.5)
    heat: Floats = half * np.abs(heatmaps)
    heat += half * np.abs(mirror(mirrored_heatmaps, mirrored_keypoints))
    return heat, np.concatenate((tags, mirror(mirrored_tags, mirrored_keypoints)), axis=3)
