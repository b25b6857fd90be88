"""Caps of a sphere as seen from the front: hair on a skull, eyes and mouth on a face.

A cap is all directions within an angle of its axis. What of it lies behind the sphere's rim is cut
off exactly there, so that nothing sticks out of a head in profile.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RIM = np.linspace(-1.0, 1.0, 12)
_FRONT = np.linspace(0.0, 1.0, 14)
_TURNS = np.arange(10) * (2.0 * np.pi / 10)


def large_caps(axes: Floats, half_angle: Floats) -> Floats:
    """Polygons (N, 26, 2) of caps on the unit sphere; `axes` (N, 3), `half_angle` (N,) any size.

    The part of the cap's edge in front of the rim, then the part of the rim inside the cap. A cap
    that holds the whole rim becomes a ring, closed by a bridge without area. Polygons may be
    concave; a cap entirely behind the sphere gets one without area.
    """
    sideways = np.maximum(np.hypot(axes[:, 0], axes[:, 1]), 1e-6)
    cosine, sine = np.cos(half_angle), np.sin(half_angle)
    outward = axes[:, :2] / sideways[:, None]
    rightward = np.stack((-outward[:, 1], outward[:, 0]), axis=1)
    upward = -axes[:, 2:] * outward

    start = np.arcsin(np.clip(-axes[:, 2] * cosine / (sine * sideways), -1.0, 1.0))
    turn = start[:, None] + _FRONT * (np.pi - 2.0 * start[:, None])
    edge = cosine[:, None, None] * axes[:, None, :2] + sine[:, None, None] * (
        np.cos(turn)[..., None] * rightward[:, None] + np.sin(turn)[..., None] * upward[:, None]
    )
    half_rim = np.arccos(np.clip(cosine / sideways, -1.0, 1.0))
    turn = half_rim[:, None] * _RIM
    rim = np.cos(turn)[..., None] * outward[:, None] + np.sin(turn)[..., None] * rightward[:, None]
    no_rim = cosine >= sideways
    rim[no_rim] = edge[no_rim, -1:]
    return np.concatenate((edge, rim), axis=1)


def small_caps(axes: Floats, across: Floats, half_width: Floats, half_height: Floats) -> Floats:
    """Polygons (N, 10, 2) of small elliptic caps on the unit sphere.

    `axes` and `across` are unit vectors (N, 3), at right angles; `half_width` (N,) is measured
    along `across`. Convex where it matters: what is behind the rim is pressed onto it.
    """
    along = np.cross(axes, across)
    points = (
        axes[:, None]
        + (half_width[:, None] * np.cos(_TURNS))[..., None] * across[:, None]
        + (half_height[:, None] * np.sin(_TURNS))[..., None] * along[:, None]
    )
    points[..., 2] = np.maximum(points[..., 2], 0.0)
    return np.asarray(points[..., :2] / np.linalg.norm(points, axis=-1, keepdims=True))
