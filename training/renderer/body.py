"""The bones: proportions of a crowd and where its joints are in a given posture.

View space: x right, y down, z towards the camera, one unit is a body height, the pelvis is the
origin. A person who faces the camera has the axes of view space, so their left is the image's
right. Leading axis P is people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from training.renderer import posture
from training.renderer.rotation import down_to_front, down_to_left, front_to_left

Floats = NDArray[np.float64]


class Bone(IntEnum):
    """The moving frames of a body; y runs along a limb's bone from its joint."""

    PELVIS = 0
    CHEST = 1
    HEAD = 2
    UPPER_ARM_L = 3
    UPPER_ARM_R = 4
    THIGH_L = 5
    THIGH_R = 6
    FOREARM_L = 7
    FOREARM_R = 8
    SHIN_L = 9
    SHIN_R = 10
    HAND_L = 11
    HAND_R = 12
    FOOT_L = 13
    FOOT_R = 14


# Mean and relative spread of each proportion; lengths in body heights. The head is a tenth larger
# than people's, so that the eyes of a figure 80 pixels high still have a pixel each.
_PROPORTIONS = {
    "waist": (0.10, 0.05),
    "chest": (0.195, 0.05),
    "neck": (0.125, 0.04),
    "shoulders": (0.112, 0.08),
    "hips": (0.062, 0.09),
    "upper_arm": (0.165, 0.05),
    "forearm": (0.145, 0.05),
    "hand": (0.078, 0.06),
    "thigh": (0.245, 0.05),
    "shin": (0.232, 0.05),
    "foot": (1.0, 0.07),
    "head": (1.1, 0.07),
    "girth": (1.0, 0.12),
}


@dataclass(frozen=True, slots=True)
class Build:
    """Proportions of P people, each (P,): lengths in body heights, foot, head, girth as factors."""

    waist: Floats
    chest: Floats
    neck: Floats
    shoulders: Floats
    hips: Floats
    upper_arm: Floats
    forearm: Floats
    hand: Floats
    thigh: Floats
    shin: Floats
    foot: Floats
    head: Floats
    girth: Floats


@dataclass(frozen=True, slots=True)
class Bones:
    """Bones of P people in view space: axes (P, 15, 3, 3), origins (P, 15, 3).

    `towards_camera` (3,) is the level direction in which the camera is.
    """

    axes: Floats
    origins: Floats
    towards_camera: Floats


def draw_build(rng: np.random.Generator, count: int) -> Build:
    """Proportions for `count` people, within 2 standard deviations of the mean."""
    spreads = np.clip(rng.standard_normal((len(_PROPORTIONS), count)), -2.0, 2.0)
    return Build(
        **{
            name: mean * (1.0 + spread * deviations)
            for (name, (mean, spread)), deviations in zip(
                _PROPORTIONS.items(), spreads, strict=True
            )
        }
    )


def move(build: Build, angles: Floats, *, camera_pitch: float = 0.0) -> Bones:
    """The bones of people in postures (P, 29), seen by a camera looking down by `camera_pitch`."""
    count = len(angles)
    root = angles[:, posture.ROOT]
    camera = down_to_front(np.array(-camera_pitch))
    pelvis = (
        camera @ down_to_left(-root[:, 0]) @ down_to_front(root[:, 1]) @ front_to_left(root[:, 2])
    )
    chest = pelvis @ _bend(angles[:, posture.CHEST])
    head = chest @ _bend(angles[:, posture.HEAD])

    limbs = posture.limbs(angles)
    side = np.array([1.0, -1.0, 1.0, -1.0])
    trunk = np.stack((chest, chest, pelvis, pelvis), axis=1)
    upper = (
        trunk
        @ down_to_left(side * limbs[..., 1])
        @ down_to_front(limbs[..., 0])
        @ front_to_left(-side * limbs[..., 2])
    )
    lower = upper @ down_to_front(np.array([1.0, 1.0, -1.0, -1.0]) * limbs[..., 3])
    end = lower @ down_to_front(limbs[..., 4])

    axes = np.empty((count, 15, 3, 3))
    axes[:, Bone.PELVIS] = pelvis
    axes[:, Bone.CHEST] = chest
    axes[:, Bone.HEAD] = head
    axes[:, 3:7] = upper
    axes[:, 7:11] = lower
    axes[:, 11:15] = end
    return Bones(axes=axes, origins=_origins(build, axes), towards_camera=camera[:, 2])


def _bend(angles: Floats) -> Floats:
    side, forward, turn = angles.T
    return down_to_left(-side) @ down_to_front(-forward) @ front_to_left(turn)


def _origins(build: Build, axes: Floats) -> Floats:
    origins = np.zeros((len(axes), 15, 3))
    across, along = axes[..., 0], axes[..., 1]
    origins[:, Bone.CHEST] = -build.waist[:, None] * along[:, Bone.PELVIS]
    shoulder_line = origins[:, Bone.CHEST] - build.chest[:, None] * along[:, Bone.CHEST]
    neck_axis = 0.5 * (along[:, Bone.CHEST] + along[:, Bone.HEAD])
    origins[:, Bone.HEAD] = (
        shoulder_line - build.neck[:, None] * neck_axis + 0.012 * axes[:, Bone.CHEST, :, 2]
    )
    # A raised arm lifts its shoulder.
    raised = 1.0 - np.sum(along[:, 3:5] * along[:, Bone.CHEST, None], axis=-1)
    lift = (0.016 * raised[..., None] - 0.012) * along[:, Bone.CHEST, None]
    width = build.shoulders[:, None] * across[:, Bone.CHEST]
    origins[:, Bone.UPPER_ARM_L] = shoulder_line + width
    origins[:, Bone.UPPER_ARM_R] = shoulder_line - width
    origins[:, 3:5] -= lift
    width = build.hips[:, None] * across[:, Bone.PELVIS]
    origins[:, Bone.THIGH_L] = width
    origins[:, Bone.THIGH_R] = -width
    origins[:, 7:11] = origins[:, 3:7] + bone_lengths(build)[:, :4, None] * along[:, 3:7]
    origins[:, 11:15] = origins[:, 7:11] + bone_lengths(build)[:, 4:, None] * along[:, 7:11]
    return origins


def bone_lengths(build: Build) -> Floats:
    """(P, 8): left and right upper arm, left and right thigh, then the forearms and shins."""
    return np.stack(
        (
            *(build.upper_arm, build.upper_arm, build.thigh, build.thigh),
            *(build.forearm, build.forearm, build.shin, build.shin),
        ),
        axis=1,
    )
