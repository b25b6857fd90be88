"""How high over the ground people's pelvises are while they move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.renderer.actor import Actor, postures
from training.renderer.body import Build
from training.renderer.crowd import take_shape

Floats = NDArray[np.float64]

_SOLES = ("sole_heel", "sole_toe", "heel", "toe")
_GAIT_SAMPLES = 48
_LONGEST_CYCLE_SECS = 1.2
_JOLT_SECS = 0.08


class Footing:
    """The ways in which the legs of P people carry them."""

    def __init__(self, company: Sequence[Actor], build: Build) -> None:
        self._company = company
        self._build = build
        self._leaps = [actor.leaves_ground for actor in company]
        cycle = np.linspace(0.0, _LONGEST_CYCLE_SECS, _GAIT_SAMPLES)
        self._longest = np.max([self._reaches(secs) for secs in cycle.tolist()], axis=0)

    def pelvis_heights(self, secs: float) -> Floats:
        """(P,) in body heights: as high as the longer leg reaches, down to a foot on the ground.

        The mean around the moment takes the jolt out of setting down a foot. Runners keep the
        longest reach of their stride: they touch the ground once a step and fly in between.
        """
        times = secs + np.linspace(-_JOLT_SECS, _JOLT_SECS, 5)
        even = np.mean([self._reaches(time) for time in times.tolist()], axis=0)
        return np.asarray(np.where(self._leaps, self._longest, even))

    def _reaches(self, secs: float) -> Floats:
        angles = postures(self._company, secs)
        flesh = take_shape(self._build, angles, camera_pitch=0.0).flesh
        soles = [flesh.sphere(f"{name}_{side}") for name in _SOLES for side in "lr"]
        lowest = np.max([centres[:, 1] + radii for centres, radii in soles], axis=0)
        return np.asarray(lowest, dtype=np.float64)
