"""What people do in stills: thirteen kinds of postures and how often each comes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from training.renderer import gait
from training.renderer.posture import ANGLE_COUNT, Floats, Limb, posture, within_limits

Root = tuple[float, float, float]

_STILL_LEG: Limb = (0.0, 0.07, -0.1, 0.06, 0.06)

# Standard deviation of the noise on every angle, in posture's order.
_NOISE = np.array(
    [
        *(0.05, 0.04, 0.0, 0.05, 0.06, 0.12, 0.08, 0.12, 0.35),
        *([0.16, 0.10, 0.25, 0.18, 0.15] * 2),
        *([0.07, 0.05, 0.12, 0.06, 0.06] * 2),
    ]
)
_LYING_SHARE = 0.03


def draw_postures(rng: np.random.Generator, count: int) -> Floats:
    """(count, 29): postures of people in a still, mostly facing the camera or turned from it."""
    kinds = rng.choice(len(_KINDS), size=count, p=_SHARES)
    angles = np.empty((count, ANGLE_COUNT))
    for person, kind in enumerate(kinds.tolist()):
        angles[person] = _KINDS[kind](rng, _draw_root(rng))
    return within_limits(angles + _NOISE * rng.standard_normal((count, ANGLE_COUNT)))


def _draw_root(rng: np.random.Generator) -> Root:
    chance, spread = rng.random(), rng.standard_normal()
    if chance < 0.50:
        yaw = 0.6 * spread
    elif chance < 0.72:
        yaw = math.pi + 0.5 * spread
    else:
        yaw = rng.uniform(-math.pi, math.pi)
    roll = 0.0
    if rng.random() < _LYING_SHARE:
        roll = 1.4 if rng.random() < 0.5 else -1.4
    return roll, 0.0, yaw


def _phase(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.0, 2.0 * math.pi))


def _stand(rng: np.random.Generator, root: Root) -> Floats:
    shift = rng.uniform(-0.12, 0.12)
    return posture(root=root, left_leg=(shift, 0.08, -0.15, 0.08, 0.0))


def _walk(rng: np.random.Generator, root: Root) -> Floats:
    return gait.walk(_phase(rng), stride=rng.uniform(0.25, 0.55), root=root)


def _run(rng: np.random.Generator, root: Root) -> Floats:
    return gait.run(_phase(rng), stride=rng.uniform(0.55, 0.95), root=root)


def _arms_up(rng: np.random.Generator, root: Root) -> Floats:
    bend = rng.uniform(0.0, 1.2)
    if rng.random() < 0.5:
        arm = (rng.uniform(2.5, 3.0), 0.15, 0.0, bend, 0.0)
    else:
        arm = (0.1, rng.uniform(1.3, 2.7), 0.0, 0.7 * bend, 0.0)
    return posture(root=root, left_arm=arm, right_arm=arm)


def _wave(rng: np.random.Generator, root: Root) -> Floats:
    return gait.wave(_phase(rng), left=rng.random() < 0.5, root=root)


def _sit(rng: np.random.Generator, root: Root) -> Floats:
    thigh, bend = rng.uniform(1.2, 1.6), rng.uniform(1.1, 1.7)
    leg = (thigh, rng.uniform(0.05, 0.3), 0.0, bend, bend - thigh)
    arm = (rng.uniform(0.3, 0.8), 0.12, 0.4, rng.uniform(0.5, 1.2), 0.0)
    return posture(root=root, left_arm=arm, right_arm=arm, left_leg=leg, right_leg=leg)


def _squat(rng: np.random.Generator, root: Root) -> Floats:
    thigh = rng.uniform(1.0, 1.9)
    leg = (thigh, 0.25, -0.25, 1.15 * thigh + 0.1, 0.3)
    reach = rng.uniform(0.2, 1.5)
    arm = (reach, 0.15, 0.2, rng.uniform(0.2, 1.0), 0.0)
    lean = rng.uniform(0.3, 0.7)
    return posture(
        root=root,
        chest=(0.0, lean, 0.0),
        head=(0.0, -0.6 * lean, 0.0),
        left_arm=arm,
        right_arm=arm,
        left_leg=leg,
        right_leg=leg,
    )


def _jack(rng: np.random.Generator, root: Root) -> Floats:
    return gait.jumping_jack(_phase(rng), root=root)


def _reach(rng: np.random.Generator, root: Root) -> Floats:
    arm = (rng.uniform(0.9, 2.2), rng.uniform(-0.1, 0.8), 0.0, rng.uniform(0.0, 0.5), 0.0)
    if rng.random() < 0.3:
        return posture(root=root, left_arm=arm, right_arm=arm)
    if rng.random() < 0.5:
        return posture(root=root, left_arm=arm)
    return posture(root=root, right_arm=arm)


def _hands_on_hips(rng: np.random.Generator, root: Root) -> Floats:
    arm = (-0.30, 0.75, 0.95, rng.uniform(1.45, 1.75), -0.3)
    if rng.random() < 0.7:
        return posture(root=root, left_arm=arm, right_arm=arm)
    return posture(root=root, left_arm=arm)


def _bend(rng: np.random.Generator, root: Root) -> Floats:
    lean = rng.uniform(0.5, 1.0)
    arm = (rng.uniform(0.6, 1.4), 0.15, 0.0, 0.2, 0.0)
    roll, _, yaw = root
    # The pelvis tips forward by half of the lean, and the legs stay upright.
    leg = (0.5 * lean, 0.08, -0.1, 0.10, 0.05)
    return posture(
        root=(roll, 0.0, yaw),
        chest=(0.0, lean, 0.0),
        head=(0.0, -0.3 * lean, 0.0),
        left_arm=arm,
        right_arm=arm,
        left_leg=leg,
        right_leg=leg,
    )


def _kick(rng: np.random.Generator, root: Root) -> Floats:
    kicking = (rng.uniform(0.5, 1.5), rng.uniform(0.0, 0.5), 0.0, rng.uniform(0.05, 0.9), -0.2)
    arm = (-0.2, rng.uniform(0.4, 1.2), 0.0, 0.5, 0.0)
    lean = (0.0, -0.12, 0.0)
    if rng.random() < 0.5:
        return posture(
            root=root,
            chest=lean,
            left_arm=arm,
            right_arm=arm,
            left_leg=kicking,
            right_leg=_STILL_LEG,
        )
    return posture(
        root=root, chest=lean, left_arm=arm, right_arm=arm, left_leg=_STILL_LEG, right_leg=kicking
    )


def _anything(rng: np.random.Generator, root: Root) -> Floats:
    def arm() -> Limb:
        return (
            rng.uniform(-0.6, 2.8),
            rng.uniform(0.0, 1.8),
            rng.uniform(-0.9, 0.9),
            rng.uniform(0.0, 2.2),
            0.0,
        )

    def leg() -> Limb:
        raised = rng.uniform(-0.4, 1.3)
        return (raised, rng.uniform(0.0, 0.6), -0.1, rng.uniform(0.0, 1.3), 0.1)

    return posture(
        root=root,
        chest=(rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.5), rng.uniform(-0.4, 0.4)),
        head=(rng.uniform(-0.2, 0.2), rng.uniform(-0.3, 0.3), rng.uniform(-0.8, 0.8)),
        left_arm=arm(),
        right_arm=arm(),
        left_leg=leg(),
        right_leg=leg(),
    )


_Kind = Callable[[np.random.Generator, Root], Floats]
_WEIGHTED: tuple[tuple[_Kind, float], ...] = (
    (_stand, 0.16),
    (_walk, 0.16),
    (_run, 0.08),
    (_arms_up, 0.07),
    (_wave, 0.07),
    (_sit, 0.08),
    (_squat, 0.05),
    (_jack, 0.05),
    (_reach, 0.06),
    (_hands_on_hips, 0.05),
    (_bend, 0.03),
    (_kick, 0.04),
    (_anything, 0.10),
)
_KINDS = tuple(kind for kind, _ in _WEIGHTED)
_SHARES = np.array([weight for _, weight in _WEIGHTED])
_SHARES = _SHARES / _SHARES.sum()
