"""COCO's seventeen keypoints on the body, and on which parts of it each may be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.body import Bone, Bones
from training.renderer.face import EYE_DIRECTIONS
from training.renderer.flesh import Flesh
from training.renderer.parts import Part

Floats = NDArray[np.float64]

KEYPOINT_COUNT = 17

# The joints from the shoulders on are the origins of these bones.
_JOINTS = [
    *(Bone.UPPER_ARM_L, Bone.UPPER_ARM_R, Bone.FOREARM_L, Bone.FOREARM_R, Bone.HAND_L, Bone.HAND_R),
    *(Bone.THIGH_L, Bone.THIGH_R, Bone.SHIN_L, Bone.SHIN_R, Bone.FOOT_L, Bone.FOOT_R),
]


def _on_side(side: int) -> dict[int, tuple[Part, ...]]:
    upper_arm, forearm = Part(Part.UPPER_ARM_L + side), Part(Part.FOREARM_L + side)
    thigh, shin = Part(Part.THIGH_L + side), Part(Part.SHIN_L + side)
    lap = Part(Part.LAP_L + side)
    return {
        1 + side: (Part.HEAD, Part.NOSE),
        3 + side: (Part.HEAD, Part(Part.EAR_L + side)),
        5 + side: (Part.TORSO, upper_arm),
        7 + side: (upper_arm, forearm),
        9 + side: (forearm, Part(Part.HAND_L + side)),
        11 + side: (Part.PELVIS, Part.TORSO, Part.SKIRT, thigh, lap),
        13 + side: (thigh, lap, shin, Part.SKIRT),
        15 + side: (shin, Part(Part.FOOT_L + side)),
    }


# A keypoint is visible where the pixel shows one of these parts of its person.
SHOWN_BY: tuple[tuple[Part, ...], ...] = tuple(
    dict(sorted({0: (Part.NOSE, Part.HEAD), **_on_side(0), **_on_side(1)}.items())).values()
)

# A shoulder or hip further than this behind the middle of the trunk is hidden by the trunk.
_FAR_SIDE = 0.055

# Cosines beyond which annotators leave a face's keypoints out: the nose may just turn away, eyes
# must face the camera, ears are seen well past profile.
_NOSE_FACES, _EYE_FACES, _EAR_FACES = -0.15, 0.05, -0.4


def place_keypoints(bones: Bones, flesh: Flesh) -> Floats:
    """(P, 17, 3) in view space."""
    keypoints = np.empty((len(bones.origins), KEYPOINT_COUNT, 3))
    skull, radius = flesh.sphere("cranium")
    eyes = EYE_DIRECTIONS @ bones.axes[:, Bone.HEAD].transpose(0, 2, 1)
    keypoints[:, 0] = flesh.sphere("nose_tip")[0]
    keypoints[:, 1:3] = skull[:, None] + radius[:, None, None] * eyes
    keypoints[:, 3] = flesh.sphere("ear_l")[0]
    keypoints[:, 4] = flesh.sphere("ear_r")[0]
    keypoints[:, 5:] = bones.origins[:, _JOINTS]
    return keypoints


def facing(bones: Bones) -> NDArray[np.bool_]:
    """(P, 17): false for keypoints of a face that is turned away, which are not labelled."""
    head = bones.axes[:, Bone.HEAD]
    faces = np.ones((len(head), KEYPOINT_COUNT), dtype=bool)
    faces[:, 0] = head[:, 2, 2] > _NOSE_FACES
    faces[:, 1:3] = head[:, 2] @ EYE_DIRECTIONS.T > _EYE_FACES
    faces[:, 3] = head[:, 2, 0] > _EAR_FACES
    faces[:, 4] = -head[:, 2, 0] > _EAR_FACES
    return faces


def behind_trunk(bones: Bones) -> NDArray[np.bool_]:
    """(P, 17): true for a shoulder or hip on the far side of a person in profile."""
    depths = bones.origins[..., 2]
    behind = np.zeros((len(depths), KEYPOINT_COUNT), dtype=bool)
    middle = 0.5 * (depths[:, Bone.UPPER_ARM_L] + depths[:, Bone.UPPER_ARM_R])
    behind[:, 5:7] = depths[:, 3:5] < middle[:, None] - _FAR_SIDE
    behind[:, 11:13] = depths[:, 5:7] < depths[:, Bone.PELVIS, None] - _FAR_SIDE
    return behind
