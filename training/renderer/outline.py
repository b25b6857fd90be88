"""Outlines of hulls of circles as polygons, for all parts of all people at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _directions(count: int) -> Floats:
    turns = np.arange(count) * (2.0 * np.pi / count)
    return np.stack((np.cos(turns), np.sin(turns)), axis=1)


_DIRECTIONS = _directions(16)
# With 16, an edge visibly jumps when a limb turns past one of the directions.
_STEADY_DIRECTIONS = _directions(48)

# Shading in three steps: radius and shift towards the light, as fractions of each circle's radius.
# Shrunk and shifted circles stay inside the full ones, so that the steps nest like contour lines.
SHADES = ((1.0, 0.0), (0.80, 0.15), (0.50, 0.34))


def hull_outlines(centres: Floats, radii: Floats, light: Floats, *, steady: bool = False) -> Floats:
    """Convex polygons (..., 3, K, 2) around circles, one for each step of shading.

    `centres` is (..., n, 2), `radii` (..., n), `light` the direction (2,) in which the lit side is.
    Each of the K corners is the point of the hull that is furthest in one of K directions. K is 16
    and the inner steps take their corners from the same circles as the outermost, which is fast;
    if `steady`, K is 48 and every step has its own, so that outlines move smoothly in a clip.
    """
    if steady:
        steps = [
            _furthest_points(centres + shift * radii[..., None] * light, size * radii)
            for size, shift in SHADES
        ]
        return np.stack(steps, axis=-3)
    corner_centres, corner_radii = _furthest_circles(centres, radii, _DIRECTIONS)
    return np.stack(
        [
            corner_centres + corner_radii * (size * _DIRECTIONS + shift * light)
            for size, shift in SHADES
        ],
        axis=-3,
    )


def _furthest_points(centres: Floats, radii: Floats) -> Floats:
    corner_centres, corner_radii = _furthest_circles(centres, radii, _STEADY_DIRECTIONS)
    return np.asarray(corner_centres + corner_radii * _STEADY_DIRECTIONS)


def _furthest_circles(centres: Floats, radii: Floats, directions: Floats) -> tuple[Floats, Floats]:
    """Centres (..., K, 2) and radii (..., K, 1) of the circles that reach furthest."""
    reach = centres @ directions.T + radii[..., None]
    furthest = np.argmax(reach, axis=-2)
    return (
        np.take_along_axis(centres, furthest[..., None], axis=-2),
        np.take_along_axis(radii, furthest, axis=-1)[..., None],
    )
