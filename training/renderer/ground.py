"""The ground people walk on in clips, and the camera that looks across it.

Ground coordinates are body heights: x to the camera's right, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The camera is held a little above people's heads, so that who is nearer also stands lower.
_CAMERA_HEIGHT = 1.30
_HORIZON = 0.12  # of the picture's height
_NEAREST_FEET = 0.96


@dataclass(frozen=True, slots=True)
class Ground:
    """`width` and `horizon` in pixels, `focal` in pixels times body heights, `nearest` and
    `furthest` the distances between which people stay."""

    width: int
    horizon: float
    focal: float
    nearest: float
    furthest: float

    @property
    def camera_pitch(self) -> float:
        """How much the camera looks down on the middle of people, in radians."""
        middle = 0.5 * (self.nearest + self.furthest)
        return float(np.arctan2(_CAMERA_HEIGHT - 0.5, middle))

    def scales(self, places: Floats) -> Floats:
        """Pixels per body height (P,) at places (P, 2)."""
        return np.asarray(self.focal / places[:, 1])

    def frame_from_ground(self, places: Floats) -> Floats:
        """Pixels (P, 2) of places (P, 2) on the ground."""
        scales = self.scales(places)
        x = 0.5 * (self.width - 1) + places[:, 0] * scales
        return np.stack((x, self.horizon + _CAMERA_HEIGHT * scales), axis=1)

    def half_width(self, distance: float) -> float:
        """How far to the side the picture reaches at that distance, in body heights."""
        return 0.5 * self.width * distance / self.focal


def lay_ground(width: int, height: int) -> Ground:
    """A ground on which people of two thirds of the picture's height are the nearest."""
    nearest, furthest = 4.0, 6.2
    horizon = _HORIZON * height
    focal = nearest * (_NEAREST_FEET * height - horizon) / _CAMERA_HEIGHT
    return Ground(width=width, horizon=horizon, focal=focal, nearest=nearest, furthest=furthest)
