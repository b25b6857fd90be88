"""Movements that repeat: postures as functions of a phase in radians."""

from __future__ import annotations

import math

from training.renderer.posture import Floats, Limb, posture


def walk(phase: float, *, stride: float = 0.42, root: tuple[float, float, float]) -> Floats:
    """Walking; the left leg is furthest forward at phase pi/2. `stride` is the thigh's swing."""
    swing = 0.9 * stride
    return posture(
        root=root,
        chest=(0.02 * math.sin(phase), 0.04, -0.16 * math.sin(phase)),
        head=(0.0, 0.0, 0.10 * math.sin(phase)),
        left_arm=_walking_arm(phase + math.pi, swing),
        right_arm=_walking_arm(phase, swing),
        left_leg=_walking_leg(phase, stride),
        right_leg=_walking_leg(phase + math.pi, stride),
    )


def _walking_arm(phase: float, swing: float) -> Limb:
    forward = swing * math.sin(phase)
    return (forward - 0.03, 0.10, 0.15, 0.28 + 0.35 * max(0.0, forward), 0.0)


def _walking_leg(phase: float, stride: float) -> Limb:
    forward = stride * math.sin(phase) + 0.05
    lift = max(0.0, math.cos(phase + 0.45)) ** 2
    bend = 0.07 + 2.0 * stride * lift
    # The sole stays level on the ground, the heel leaves it first and lands first.
    slope = -0.9 * stride * max(0.0, -math.sin(phase)) ** 2 + 0.3 * max(0.0, math.sin(phase)) ** 4
    return (forward, 0.02, -0.08, bend, bend - forward + slope)


def run(phase: float, *, stride: float = 0.75, root: tuple[float, float, float]) -> Floats:
    """Running: longer strides, elbows bent, trunk leaning forward."""
    return posture(
        root=root,
        chest=(0.0, 0.20, -0.24 * math.sin(phase)),
        head=(0.0, -0.12, 0.15 * math.sin(phase)),
        left_arm=_running_arm(phase + math.pi, stride),
        right_arm=_running_arm(phase, stride),
        left_leg=_running_leg(phase, stride),
        right_leg=_running_leg(phase + math.pi, stride),
    )


def _running_arm(phase: float, stride: float) -> Limb:
    forward = stride * math.sin(phase)
    return (forward - 0.1, 0.15, 0.35, 1.55 + 0.25 * math.sin(phase), 0.0)


def _running_leg(phase: float, stride: float) -> Limb:
    forward = stride * math.sin(phase) + 0.2
    lift = (0.5 + 0.5 * math.cos(phase + 0.55)) ** 2
    bend = 0.28 + 1.5 * lift
    slope = -0.7 * stride * max(0.0, -math.sin(phase)) ** 2
    return (forward, 0.02, -0.05, bend, 0.7 * (bend - forward) + slope)


def jumping_jack(phase: float, *, root: tuple[float, float, float]) -> Floats:
    """Arms and legs spread at phase pi, together at 0."""
    spread = 0.5 - 0.5 * math.cos(phase)
    arm = (0.0, 0.15 + 2.45 * spread, 0.0, 0.20, 0.0)
    leg = (0.02, 0.06 + 0.42 * spread, -0.1, 0.12, 0.08)
    return posture(root=root, left_arm=arm, right_arm=arm, left_leg=leg, right_leg=leg)


def wave(phase: float, *, left: bool, root: tuple[float, float, float]) -> Floats:
    """A raised forearm that swings from side to side."""
    arm = (0.25, 1.25, -1.25, 1.75 + 0.35 * math.sin(phase), 0.0)
    head = (0.05 * math.sin(0.5 * phase), 0.0, 0.0)
    if left:
        return posture(root=root, head=head, left_arm=arm)
    return posture(root=root, head=head, right_arm=arm)
