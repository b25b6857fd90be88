"""People of a clip: where they are and what they do at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.renderer import gait
from training.renderer.posture import posture, within_limits

Floats = NDArray[np.float64]
Root = tuple[float, float, float]

# Keeps the foot on the ground from gliding: sin(phase) would swing the leg fast in mid-stance and
# slowly at both ends, while the body moves evenly.
_EVEN_SWING = 0.15
_WEAVING = 0.9  # radians a second


class Actor(Protocol):
    """`leaves_ground` says whether both feet may be in the air."""

    @property
    def leaves_ground(self) -> bool: ...

    def place(self, secs: float) -> Floats:
        """(2,): x and z on the ground."""

    def angles(self, secs: float) -> Floats:
        """(29,): the posture."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """Walks or runs along a line across the picture, and comes back after leaving it.

    The line passes `middle` (2,) and rises by `slope` from the camera; `reach` to both sides of the
    middle the traveller turns round. `first_way` is how far they have gone at time 0, in body
    heights like all lengths. `stride` is the swing of the thigh in radians, `step_cycle` the way of
    a left and a right step, `weave` how far they stray from the line.
    """

    middle: Floats
    slope: float
    reach: float
    first_way: float
    speed: float
    weave: float
    stride: float
    step_cycle: float
    runs: bool
    manner: Floats

    @property
    def leaves_ground(self) -> bool:
        return self.runs

    def place(self, secs: float) -> Floats:
        along, _ = self._progress(secs)
        stray = self.weave * math.sin(_WEAVING * secs + self.first_way)
        return np.asarray(self.middle + np.array([along, self.slope * along + stray]))

    def angles(self, secs: float) -> Floats:
        _, direction = self._progress(secs)
        sideways = self.slope * direction * self._level_speed()
        sideways += self.weave * _WEAVING * math.cos(_WEAVING * secs + self.first_way)
        root = (0.0, 0.0, math.atan2(direction * self._level_speed(), -sideways))
        phase = 2.0 * math.pi * (self.first_way + self.speed * secs) / self.step_cycle
        even = phase - _EVEN_SWING * math.sin(2.0 * phase)
        if self.runs:
            return gait.run(even, stride=self.stride, root=root) + self.manner
        return gait.walk(even, stride=self.stride, root=root) + self.manner

    def _level_speed(self) -> float:
        """The part of the speed that is across the picture."""
        return self.speed / math.hypot(1.0, self.slope)

    def _progress(self, secs: float) -> tuple[float, float]:
        """How far right of the middle they are, and 1 on the way right or -1 on the way left."""
        way = (self.first_way + self._level_speed() * secs) % (4.0 * self.reach)
        if way < 2.0 * self.reach:
            return way - self.reach, 1.0
        return 3.0 * self.reach - way, -1.0


@dataclass(frozen=True, slots=True)
class Bystander:
    """Stays in one place, breathes, looks around and now and then waves or does something else."""

    spot: Floats
    yaw: float
    period: float
    first_phase: float
    act: Callable[[float, Root], Floats]
    manner: Floats

    @property
    def leaves_ground(self) -> bool:
        return False

    def place(self, secs: float) -> Floats:
        return self.spot

    def angles(self, secs: float) -> Floats:
        phase = self.first_phase + 2.0 * math.pi * secs / self.period
        root = (0.0, 0.0, self.yaw)
        breath = 0.5 - 0.5 * math.cos(1.9 * secs + self.first_phase)
        arm = (0.03 * breath, 0.12 + 0.02 * breath, 0.1, 0.25, 0.0)
        idle = posture(
            root=root,
            chest=(0.03 * math.sin(phase), -0.02 * breath, 0.08 * math.sin(0.5 * phase)),
            head=(0.0, 0.0, 0.30 * math.sin(0.7 * phase)),
            left_arm=arm,
            right_arm=arm,
        )
        eagerness = _smooth_step(0.5 + 1.2 * math.sin(phase))
        act = self.act(2.0 * math.pi * 1.5 * secs, root)
        return np.asarray(idle + eagerness * (act - idle) + self.manner)


def postures(company: Sequence[Actor], secs: float) -> Floats:
    """(P, 29): what everybody does at that time."""
    return within_limits(np.stack([actor.angles(secs) for actor in company]))


def wave_left(phase: float, root: Root) -> Floats:
    return gait.wave(phase, left=True, root=root)


def wave_right(phase: float, root: Root) -> Floats:
    return gait.wave(phase, left=False, root=root)


def exercise(phase: float, root: Root) -> Floats:
    """Jumping jacks at half the pace of waving."""
    return gait.jumping_jack(0.5 * phase, root=root)


def _smooth_step(value: float) -> float:
    value = min(1.0, max(0.0, value))
    return value * value * (3.0 - 2.0 * value)
