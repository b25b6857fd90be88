"""The light of a scene: where it comes from and what it does to colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Light:
    """`direction` (2,) points in the image to where the light is; `ambient` is the brightness of
    sides in shade, of 1; `tint` multiplies blue, green, red."""

    direction: Floats
    ambient: float
    tint: Floats


def draw_light(rng: np.random.Generator) -> Light:
    """Light from above, anywhere between far left and far right."""
    angle = rng.uniform(-1.3, 1.3)
    return Light(
        direction=np.array([np.sin(angle), -np.cos(angle)]),
        ambient=rng.uniform(0.58, 0.85),
        tint=1.0 + rng.uniform(-0.07, 0.07, 3),
    )


def shades(colour: Floats, light: Light) -> tuple[Colour, Colour, Colour]:
    """A BGR colour in shade, half lit and lit."""
    halfway = 0.45 * light.ambient + 0.55
    levels = np.array([[light.ambient], [halfway], [1.0]]) * (colour * light.tint)
    in_shade, half_lit, lit = np.clip(levels, 0, 255).astype(int).tolist()
    return tuple(in_shade), tuple(half_lit), tuple(lit)
