"""Things that are no people: shapes that lie behind them, hide them, or resemble their limbs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.canvas import fixed_point
from training.renderer.light import Colour
from training.renderer.outline import hull_outlines

Floats = NDArray[np.float64]

KINDS = ("ellipse", "box", "hull", "limb", "head")


def draw_polygons(
    rng: np.random.Generator, kinds: NDArray[np.int64], centres: Floats, sizes: Floats
) -> NDArray[np.int32]:
    """Outlines (N, 3, 16, 2) of things of the given kinds, with shading, ready to fill.

    `sizes` (N,) is about half of a thing's longest side, in pixels like `centres` (N, 2).
    """
    count = len(kinds)
    turns = rng.uniform(0.0, 2.0 * np.pi, count)
    slenderness = rng.uniform(0.25, 0.9, count)
    points = rng.uniform(-1.0, 1.0, (count, 4, 2))
    radii = np.full((count, 4), 0.02)

    limb = kinds == KINDS.index("limb")
    points[limb] = np.array([[-0.85, 0.0], [0.85, 0.0], [-0.2, 0.0], [0.2, 0.0]])
    radii[limb] = np.array([0.2, 0.15, 0.19, 0.17])
    head = kinds == KINDS.index("head")
    points[head] = np.array([[0.0, 0.0], [0.0, 0.35], [0.0, 0.1], [0.0, 0.2]])
    radii[head] = np.array([0.62, 0.42, 0.5, 0.5])
    turns[head] *= 0.1
    ellipse = kinds == KINDS.index("ellipse")
    points[ellipse] *= 0.15
    radii[ellipse] = 0.6
    box = kinds == KINDS.index("box")
    points[box] = np.array([[-0.7, -0.7], [0.7, -0.7], [0.7, 0.7], [-0.7, 0.7]])
    points[box, :, 1] *= slenderness[box, None]
    turns[box] = np.where(rng.random(int(box.sum())) < 0.6, 0.0, turns[box])

    cosine, sine = np.cos(turns)[:, None], np.sin(turns)[:, None]
    turned = np.stack(
        (
            cosine * points[..., 0] - sine * points[..., 1],
            sine * points[..., 0] + cosine * points[..., 1],
        ),
        axis=-1,
    )
    light = np.array([0.3, -0.9])
    return fixed_point(
        hull_outlines(
            turned * sizes[:, None, None] + centres[:, None], radii * sizes[:, None], light
        )
    )


def draw_colour(rng: np.random.Generator) -> Colour:
    """Any colour, more often a dull one."""
    grey = rng.uniform(20, 235)
    blue, green, red = np.clip(grey + rng.uniform(-1, 1, 3) * rng.uniform(5, 80), 0, 255).tolist()
    return int(blue), int(green), int(red)
