"""Things in front of people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer import clutter
from training.renderer.canvas import OCCLUDER, Canvas

Floats = NDArray[np.float64]


def hide_some_of(
    rng: np.random.Generator, canvas: Canvas, pelvis: Floats, pixels_per_height: float
) -> None:
    """Puts a thing about as large as a trunk somewhere on a person."""
    centre = pelvis + rng.uniform(-0.45, 0.45, 2) * pixels_per_height
    _put(rng, canvas, centre, rng.uniform(0.10, 0.26) * pixels_per_height)


def put_in_front(rng: np.random.Generator, canvas: Canvas) -> None:
    """Puts one to three things anywhere in the picture."""
    height, width = canvas.truth.shape
    for _ in range(int(rng.integers(1, 4))):
        centre = rng.uniform(0.0, 1.0, 2) * np.array([width, height])
        _put(rng, canvas, centre, min(width, height) * rng.uniform(0.06, 0.22))


def _put(rng: np.random.Generator, canvas: Canvas, centre: Floats, half_size: float) -> None:
    kinds = np.array([rng.integers(len(clutter.KINDS) - 2)])
    outline, lit, _ = clutter.draw_polygons(rng, kinds, centre[None], np.array([half_size]))[0]
    colour = clutter.draw_colour(rng)
    blue, green, red = (min(255, value * 5 // 4 + 6) for value in colour)
    canvas.fill(outline, colour)
    canvas.fill(lit, (blue, green, red))
    canvas.claim(outline, OCCLUDER)
