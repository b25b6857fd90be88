"""Columns between the camera and the people, each wide enough to hide a person completely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.renderer.canvas import OCCLUDER, Canvas, fixed_point
from training.renderer.ground import Ground
from training.renderer.light import Colour, Light, shades

_FEWEST, _MOST = 1, 2
_WIDTHS = (0.5, 0.7)  # in body heights of a person right behind it
_LIT_SHARE = 0.35
_GREYS = (90.0, 210.0)


@dataclass(frozen=True, slots=True)
class Column:
    """`left` and `right` in pixels; it reaches from the top to the bottom of the picture."""

    left: float
    right: float
    dark: Colour
    lit: Colour

    def paint(self, canvas: Canvas) -> None:
        """Cover whatever is behind it, in the truth too."""
        height = float(len(canvas.image))
        edge = self.left + _LIT_SHARE * (self.right - self.left)
        for left, right, colour in (
            (self.left, self.right, self.dark),
            (self.left, edge, self.lit),
        ):
            corners = [[left, -1.0], [right, -1.0], [right, height], [left, height]]
            outline = fixed_point(np.array(corners))
            canvas.fill(outline, colour)
            canvas.claim(outline, OCCLUDER)


def draw_columns(rng: np.random.Generator, ground: Ground, light: Light) -> tuple[Column, ...]:
    """Draw one or two columns, each somewhere in a part of the picture of its own."""
    count = int(rng.integers(_FEWEST, _MOST + 1))
    scale = ground.focal / ground.nearest
    columns = []
    for place in range(count):
        width = rng.uniform(*_WIDTHS) * scale
        centre = (place + rng.uniform(0.3, 0.7)) / count * ground.width
        dark, _, lit = shades(np.full(3, rng.uniform(*_GREYS)), light)
        columns.append(Column(centre - 0.5 * width, centre + 0.5 * width, dark, lit))
    return tuple(columns)
