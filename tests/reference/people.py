"""Random articulated people, projected to 17 keypoints in COCO order.

The body is a stick figure in three dimensions: x to the person's left, y down, z to the front,
lengths in body heights, the pelvis at the origin. The camera looks along -z without perspective,
so someone who faces it has their left on the right of the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

KEYPOINT_COUNT = 17
# Keypoint k of the mirrored person is keypoint MIRROR[k].
MIRROR = np.array([0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15])
# Pairs of keypoints joined by flesh, with its radius in body heights. The diagonals fill the trunk.
ARMS = [(5, 7), (7, 9), (6, 8), (8, 10)]
LEGS = [(11, 13), (13, 15), (12, 14), (14, 16)]
TRUNK = [(5, 11), (6, 12), (5, 12), (6, 11), (5, 6), (11, 12)]
HEAD = [(1, 2), (3, 4), (0, 5), (0, 6)]
FLESH = np.array([*ARMS, *LEGS, *TRUNK, *HEAD])
FLESH_RADIUS = np.repeat([0.03, 0.04, 0.05, 0.05], [len(ARMS), len(LEGS), len(TRUNK), len(HEAD)])
# How far the outline of a body reaches beyond its keypoints, in body heights.
OUTLINE = 0.06


@dataclass(frozen=True, slots=True)
class Figure:
    """One person's keypoints (K, 2) as (x, y) and which of them face the camera (K,) bool.

    Coordinates and `height` (of the standing person) share one unit: heatmap cells.
    """

    keypoints: NDArray[np.float64]
    faces_camera: NDArray[np.bool_]
    height: float

    @property
    def box(self) -> NDArray[np.float64]:
        """Left, top, right, bottom of the body's outline."""
        margin = OUTLINE * self.height
        low, high = self.keypoints.min(axis=0) - margin, self.keypoints.max(axis=0) + margin
        return np.concatenate([low, high])

    def moved(self, offset: NDArray[np.float64]) -> Figure:
        return replace(self, keypoints=self.keypoints + offset)

    def scaled(self, factor: float) -> Figure:
        return replace(self, keypoints=self.keypoints * factor, height=self.height * factor)


@dataclass(frozen=True, slots=True)
class Posture:
    """Mean angles in radians; `swing` sends opposite arm and leg forward, `spread` is the noise."""

    arm_flexion: float = 0.05
    arm_abduction: float = 0.15
    elbow: float = 0.25
    leg_flexion: float = 0.0
    leg_abduction: float = 0.07
    knee: float = 0.08
    swing: float = 0.0
    spread: float = 0.1


POSTURES = {
    "standing": Posture(),
    "walking": Posture(elbow=0.5, knee=0.3, swing=0.55, spread=0.12),
    "sitting": Posture(arm_flexion=0.4, elbow=0.8, leg_flexion=1.35, knee=1.4, spread=0.15),
    "arms_up": Posture(arm_abduction=2.5, elbow=0.4, spread=0.25),
    "reaching": Posture(arm_flexion=1.1, arm_abduction=0.5, elbow=0.6, swing=0.2, spread=0.35),
}


def person(rng: np.random.Generator, *, height: float, posture: str | None = None) -> Figure:
    """A random figure `height` cells tall with its pelvis at (0, 0), facing any direction.

    `posture` is a key of POSTURES, by default a random one. Proportions vary by 6 %.
    """
    names = list(POSTURES)
    mean = POSTURES[names[int(rng.integers(len(names)))] if posture is None else posture]
    body = _turned_body(rng)
    chest = body @ _about_x(rng.normal(-0.08, 0.08)) @ _about_z(rng.normal(0.0, 0.06))
    points = np.zeros((KEYPOINT_COUNT, 3))
    neck = chest @ _length(rng, 0.0, -0.295, 0.0)
    head = chest @ _about_y(rng.normal(0.0, 0.35)) @ _about_x(rng.normal(0.0, 0.15))
    points[:5] = neck + _face(rng) @ head.T
    swing = mean.swing * np.sin(rng.uniform(0.0, 2 * np.pi))
    for side, sign in ((0, 1.0), (1, -1.0)):
        shoulder = neck + chest @ _length(rng, sign * 0.118, 0.02, 0.0)
        hip = body @ _length(rng, sign * 0.066, 0.01, 0.0)
        points[5 + side : 11 + side : 2] = _arm(rng, mean, chest, shoulder, sign, -sign * swing)
        points[11 + side : 17 + side : 2] = _leg(rng, mean, body, hip, sign, sign * swing)
    return Figure(points[:, :2] * height, _faces_camera(head), height)


def covered(points: NDArray[np.float64], bodies: list[Figure]) -> NDArray[np.bool_]:
    """Which of the points (P, 2) lie on the flesh of any of the bodies: (P,) bool."""
    if not bodies:
        return np.zeros(len(points), dtype=bool)
    start = np.concatenate([body.keypoints[FLESH[:, 0]] for body in bodies])
    along = np.concatenate([body.keypoints[FLESH[:, 1]] for body in bodies]) - start
    radius = np.concatenate([FLESH_RADIUS * body.height for body in bodies])
    from_start = points[:, None] - start
    share = (from_start * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-12)
    offset = from_start - np.clip(share, 0.0, 1.0)[..., None] * along
    return np.asarray(((offset**2).sum(axis=2) < radius**2).any(axis=1))


def _turned_body(rng: np.random.Generator) -> NDArray[np.float64]:
    """Half of the people face the camera, a fifth turn their back, the others face anywhere."""
    draw = rng.random()
    if draw < 0.5:
        yaw = rng.normal(0.0, 0.6)
    elif draw < 0.72:
        yaw = rng.normal(np.pi, 0.5)
    else:
        yaw = rng.uniform(-np.pi, np.pi)
    return _about_z(rng.normal(0.0, 0.05)) @ _about_x(rng.normal(0.0, 0.08)) @ _about_y(yaw)


def _face(rng: np.random.Generator) -> NDArray[np.float64]:
    """Nose, eyes and ears relative to the base of the neck, head upright."""
    size = rng.normal(1.0, 0.06)
    nose, eye, ear = (0.0, -0.125, 0.062), (0.021, -0.147, 0.048), (0.047, -0.137, -0.005)
    mirrored = [(-x, y, z) for x, y, z in (eye, ear)]
    return size * np.array([nose, eye, mirrored[0], ear, mirrored[1]])


def _faces_camera(head: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Nose, eyes and ears vanish behind the head; other keypoints show from either side."""
    normals = np.array([(0, 0, 1), (0.35, 0, 0.94), (-0.35, 0, 0.94), (1, 0, 0.1), (-1, 0, 0.1)])
    towards = np.ones(KEYPOINT_COUNT, dtype=bool)
    towards[:5] = normals @ head[2] > np.array([-0.1, 0.05, 0.05, -0.4, -0.4])
    return towards


def _arm(
    rng: np.random.Generator,
    mean: Posture,
    chest: NDArray[np.float64],
    shoulder: NDArray[np.float64],
    sign: float,
    swing: float,
) -> NDArray[np.float64]:
    """Shoulder, elbow and wrist (3, 3)."""
    abduction = rng.normal(mean.arm_abduction, mean.spread)
    flexion = rng.normal(mean.arm_flexion, mean.spread) + swing
    upper = chest @ _about_z(sign * abduction) @ _about_x(flexion)
    bend = abs(rng.normal(mean.elbow, 2 * mean.spread))
    lower = upper @ _about_y(-sign * rng.normal(0.4, 0.4)) @ _about_x(bend)
    elbow = shoulder + upper @ _length(rng, 0.0, 0.165, 0.0)
    return np.stack([shoulder, elbow, elbow + lower @ _length(rng, 0.0, 0.15, 0.0)])


def _leg(
    rng: np.random.Generator,
    mean: Posture,
    body: NDArray[np.float64],
    hip: NDArray[np.float64],
    sign: float,
    swing: float,
) -> NDArray[np.float64]:
    """Hip, knee and ankle (3, 3)."""
    abduction = rng.normal(mean.leg_abduction, 0.5 * mean.spread)
    flexion = rng.normal(mean.leg_flexion, mean.spread) + swing
    thigh = body @ _about_z(sign * abduction) @ _about_x(flexion)
    shin = thigh @ _about_x(-abs(rng.normal(mean.knee, mean.spread)))
    knee = hip + thigh @ _length(rng, 0.0, 0.235, 0.0)
    return np.stack([hip, knee, knee + shin @ _length(rng, 0.0, 0.225, 0.0)])


def _length(rng: np.random.Generator, x: float, y: float, z: float) -> NDArray[np.float64]:
    """The bone, longer or shorter by 6 %."""
    return rng.normal(1.0, 0.06) * np.array([x, y, z])


def _about_x(angle: float) -> NDArray[np.float64]:
    """Turns down to front."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _about_y(angle: float) -> NDArray[np.float64]:
    """Turns front to left."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _about_z(angle: float) -> NDArray[np.float64]:
    """Turns down to left."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
