"""A posture: the joint angles of a figure as one vector, so that crowds stack and poses blend.

All angles are radians, and zero everywhere is standing straight, facing the camera, arms down.

    root    roll (to the image's right), pitch (leaning back), yaw (front towards the image's right)
    chest   side bend, lean forward, twist
    head    tilt, nod forward, turn
    limbs   per limb (left arm, right arm, left leg, right leg): raise to the front, raise to the
            side, inward twist, bend of elbow or knee, and wrist or ankle (toes up)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROOT = slice(0, 3)
CHEST = slice(3, 6)
HEAD = slice(6, 9)
LIMBS = slice(9, 29)
ANGLE_COUNT = 29

YAW = 2
LEAN = 4
Limb = tuple[float, float, float, float, float]

_RELAXED_ARM: Limb = (0.0, 0.12, 0.1, 0.25, 0.0)
_STRAIGHT_LEG: Limb = (0.0, 0.06, -0.1, 0.05, 0.05)

# Elbows and knees bend one way only, hips and shoulders as far as they do in people.
_LOWEST = np.array([[-1.0, -0.3, -1.4, 0.0, -0.7]] * 2 + [[-0.9, -0.15, -0.7, 0.0, -0.8]] * 2)
_HIGHEST = np.array([[3.1, 3.0, 1.5, 2.5, 0.7]] * 2 + [[2.2, 1.1, 0.5, 2.4, 0.6]] * 2)


def posture(
    *,
    root: tuple[float, float, float] = (0.0, 0.0, 0.0),
    chest: tuple[float, float, float] = (0.0, 0.0, 0.0),
    head: tuple[float, float, float] = (0.0, 0.0, 0.0),
    left_arm: Limb = _RELAXED_ARM,
    right_arm: Limb = _RELAXED_ARM,
    left_leg: Limb = _STRAIGHT_LEG,
    right_leg: Limb = _STRAIGHT_LEG,
) -> Floats:
    """The (29,) vector of a posture; what is not named stands relaxed."""
    return np.array([*root, *chest, *head, *left_arm, *right_arm, *left_leg, *right_leg])


def limbs(angles: Floats) -> Floats:
    """The limbs' angles as a view of shape (..., 4, 5)."""
    return angles[..., LIMBS].reshape(*angles.shape[:-1], 4, 5)


def within_limits(angles: Floats) -> Floats:
    """A copy whose limbs bend no further than people's do."""
    limited = angles.copy()
    limited[..., LIMBS] = np.clip(limbs(angles), _LOWEST, _HIGHEST).reshape(*angles.shape[:-1], 20)
    return limited
