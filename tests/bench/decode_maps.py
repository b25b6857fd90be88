"""Maps that the benchmark of the decoder decodes, besides those of a crowd."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.reference.people import KEYPOINT_COUNT
from tests.reference.scenes import suppress_non_maxima

Floats = NDArray[np.float32]


def worst_maps(side: int) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield names, heatmaps and tags of noise everywhere, which makes decoding slow.

    Every tile is warm, there are as many peaks as the decoder keeps, and many poses of one peak
    lack all other keypoints.
    """
    rng = np.random.default_rng(0)
    shape = (KEYPOINT_COUNT, side, side)
    noise = rng.random(shape, np.float32)
    signed = suppress_non_maxima(noise)
    levels = np.asarray(np.round(noise * 8) / 8, np.float32)
    planes = np.arange(KEYPOINT_COUNT, dtype=np.float32)[:, None, None]
    normal = rng.normal(0.0, 2.5, shape).astype(np.float32)
    for name, heatmaps, tags in (
        ("one tag everywhere", signed, np.zeros(shape, np.float32)),
        ("normal tags", signed, normal),
        ("tags from 0 to 10", signed, rng.uniform(0, 10, shape)),
        ("tags from 0 to 100", signed, rng.uniform(0, 100, shape)),
        ("tags from 0 to 10,000", signed, rng.uniform(0, 1e4, shape)),
        ("one tag per keypoint, far apart", signed, np.broadcast_to(5 * planes, shape)),
        ("one tag per keypoint, close", signed, np.broadcast_to(0.6 * planes, shape)),
        ("peaks' tags differ, the others are equal", signed, _tags_of_peaks(rng, signed)),
        ("heat just above the threshold", signed * np.float32(0.12), normal),
        ("heat in eight levels", suppress_non_maxima(levels), normal),
        ("every cell a maximum", noise, normal),
        ("flat heat", np.full(shape, 0.5, np.float32), normal),
    ):
        yield (
            name,
            np.ascontiguousarray(heatmaps, np.float32),
            np.ascontiguousarray(tags, np.float32),
        )


def _tags_of_peaks(rng: np.random.Generator, signed: Floats) -> NDArray[np.float64]:
    return np.where(signed > 0, rng.uniform(0, 1e3, signed.shape), 5e3)
