"""The parts of a figure, and which of them is painted over which."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from training.renderer.anatomy import SPHERE_NUMBERS
from training.renderer.flesh import Flesh

Floats = NDArray[np.float64]


class Part(IntEnum):
    """What is painted as one piece; the values are part of the truth map, 0 is nobody."""

    PELVIS = 1
    TORSO = 2
    NECK = 3
    HEAD = 4
    NOSE = 5
    BACK_HAIR = 6
    PEAK = 7
    BAG = 8
    SKIRT = 9
    EAR_L = 10
    EAR_R = 11
    UPPER_ARM_L = 12
    UPPER_ARM_R = 13
    FOREARM_L = 14
    FOREARM_R = 15
    HAND_L = 16
    HAND_R = 17
    THIGH_L = 18
    THIGH_R = 19
    SHIN_L = 20
    SHIN_R = 21
    FOOT_L = 22
    FOOT_R = 23
    LAP_L = 24
    LAP_R = 25


PART_COUNT = 26

# Legs are painted before shirts and skirts, which hang over them. What of a thigh is raised out of
# the trunk towards the camera is painted once more, as a lap, after the trunk.
_UNDER_CLOTHES = -0.07

# Where a part is in depth: the mean of these spheres, nearer by a bias in body heights. The biases
# say what lies on top where two parts join: chin on neck, hair on shoulders, forearm on elbow.
_DEPTHS: dict[Part, tuple[tuple[str, ...], float]] = {
    Part.PELVIS: (("hip_l", "hip_r"), _UNDER_CLOTHES - 0.004),
    Part.TORSO: (("chest_l", "chest_r", "hem_l", "hem_r"), 0.008),
    Part.NECK: (("neck_base", "nape"), 0.016),
    Part.HEAD: (("cranium", "cranium", "jaw"), 0.060),
    Part.NOSE: (("nose_tip",), 0.030),
    Part.BACK_HAIR: (("hair_top", "mane_l", "mane_r"), 0.020),
    Part.PEAK: (("peak_front_l", "peak_front_r"), 0.030),
    Part.BAG: (("bag_top_l", "bag_top_r", "bag_low_l", "bag_low_r"), 0.0),
    Part.SKIRT: (("skirt_hem_l", "skirt_hem_r", "hip_l", "hip_r"), 0.03),
    Part.EAR_L: (("ear_l",), 0.042),
    Part.EAR_R: (("ear_r",), 0.042),
    Part.UPPER_ARM_L: (("shoulder_l", "elbow_l"), 0.0),
    Part.UPPER_ARM_R: (("shoulder_r", "elbow_r"), 0.0),
    Part.FOREARM_L: (("elbow_l", "wrist_l"), 0.004),
    Part.FOREARM_R: (("elbow_r", "wrist_r"), 0.004),
    Part.HAND_L: (("wrist_l", "fingers_l"), 0.0),
    Part.HAND_R: (("wrist_r", "fingers_r"), 0.0),
    Part.THIGH_L: (("hip_l", "knee_l"), _UNDER_CLOTHES),
    Part.THIGH_R: (("hip_r", "knee_r"), _UNDER_CLOTHES),
    Part.SHIN_L: (("knee_l", "ankle_l"), _UNDER_CLOTHES - 0.004),
    Part.SHIN_R: (("knee_r", "ankle_r"), _UNDER_CLOTHES - 0.004),
    Part.FOOT_L: (("heel_l", "toe_l"), _UNDER_CLOTHES - 0.010),
    Part.FOOT_R: (("heel_r", "toe_r"), _UNDER_CLOTHES - 0.010),
    Part.LAP_L: (("lap_start_l", "lap_end_l"), _UNDER_CLOTHES),
    Part.LAP_R: (("lap_start_r", "lap_end_r"), _UNDER_CLOTHES),
}
# In a clip a knee, ankle or neckline whose two parts take turns in front would flicker.
_STEADY_BIASES = np.zeros(PART_COUNT)
_STEADY_BIASES[Part.NECK] = 0.015
_STEADY_BIASES[Part.BAG] = -0.03
_STEADY_BIASES[[Part.SHIN_L, Part.SHIN_R]] = -0.07
_STEADY_BIASES[[Part.FOOT_L, Part.FOOT_R]] = -0.10
_STEADY_BIASES[[Part.HAND_L, Part.HAND_R]] = -0.02
_STEADY_BIASES[[Part.FOREARM_L, Part.FOREARM_R]] = 0.02
_THIGHS = [Part.THIGH_L, Part.THIGH_R]
_SHINS = [Part.SHIN_L, Part.SHIN_R]
_LAPS = [Part.LAP_L, Part.LAP_R]


def _depth_weights() -> Floats:
    weights = np.zeros((PART_COUNT, len(SPHERE_NUMBERS)))
    for part, (spheres, _) in _DEPTHS.items():
        for sphere in spheres:
            weights[part, SPHERE_NUMBERS[sphere]] += 1.0 / len(spheres)
    return weights


_DEPTH_WEIGHTS = _depth_weights()
_DEPTH_BIASES = np.array([0.0, *(_DEPTHS[Part(part)][1] for part in range(1, PART_COUNT))])


def part_depths(flesh: Flesh, *, steady: bool = False) -> Floats:
    """(P, 26): how near the camera each part is, smoothly in every angle; larger is nearer.

    If `steady`, parts that join at the same depth keep their order while they move.
    """
    depths = (flesh.centres @ flesh.towards_camera) @ _DEPTH_WEIGHTS.T + _DEPTH_BIASES
    if steady:
        depths += _STEADY_BIASES
    trunk = depths[:, [Part.TORSO]]
    depths[:, _THIGHS] = np.minimum(depths[:, _THIGHS], trunk - 0.001)
    depths[:, _LAPS] = np.minimum(depths[:, _LAPS], depths[:, _SHINS] - 0.001)
    depths[:, _LAPS] = np.maximum(depths[:, _LAPS], trunk + 0.001)
    return np.asarray(depths)
