"""Stripes on shirts: bands across an outline, cut to it exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.look import Look

Floats = NDArray[np.float64]


def stripe_shares(look: Look) -> tuple[Floats, Floats]:
    """Where stripes start and end along the chest: its waist is 0, its shoulders are -1."""
    if look.pattern == "band":
        return np.array([-0.62]), np.array([-0.28])
    pitch = 1.7 / look.stripe_count
    starts: Floats = -1.0 + pitch * np.arange(look.stripe_count, dtype=np.float64)
    return starts, starts + 0.45 * pitch


def band_across(outline: Floats, along: Floats, starts: Floats, ends: Floats) -> Floats:
    """Quadrilaterals (B, 4, 2): what of a convex outline (n, 2) lies between pairs of lines.

    `along` is (2,), any length; the lines are where `point @ along` is `starts` (B,) and `ends`.
    Bands beyond the outline are left out.
    """
    position = outline @ along
    touching = (starts < position.max()) & (ends > position.min())
    starts, ends = starts[touching], ends[touching]
    first, last = int(np.argmin(position)), int(np.argmax(position))
    count = len(outline)
    one_way = np.arange(first, first + (last - first) % count + 1) % count
    other_way = np.arange(first, first - (first - last) % count - 1, -1) % count
    lines = np.concatenate((starts, ends))
    crossings = np.empty((2, len(lines), 2))
    for side, chain in enumerate((one_way, other_way)):
        for axis in range(2):
            crossings[side, :, axis] = np.interp(lines, position[chain], outline[chain, axis])
    bands = len(starts)
    return np.stack(
        (crossings[0, :bands], crossings[1, :bands], crossings[1, bands:], crossings[0, bands:]),
        axis=1,
    )
