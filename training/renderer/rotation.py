"""Rotations of the body's axes: x to the person's left, y down, z to the front.

Each function takes angles of any shape in radians and gives matrices of shape (..., 3, 3) that
act on column vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def down_to_front(angle: Floats) -> Floats:
    """Turns about x: what points down then points to the front, what points front points up."""
    return _plane(angle, 1, 2)


def down_to_left(angle: Floats) -> Floats:
    """Turns about z: what points down then points to the person's left."""
    return _plane(angle, 1, 0)


def front_to_left(angle: Floats) -> Floats:
    """Turns about y: what points to the front then points to the person's left."""
    return _plane(angle, 2, 0)


def _plane(angle: Floats, source: int, target: int) -> Floats:
    matrices = np.zeros((*angle.shape, 3, 3))
    cosine, sine = np.cos(angle), np.sin(angle)
    rest = 3 - source - target
    matrices[..., rest, rest] = 1.0
    matrices[..., source, source] = cosine
    matrices[..., target, target] = cosine
    matrices[..., target, source] = sine
    matrices[..., source, target] = -sine
    return matrices
