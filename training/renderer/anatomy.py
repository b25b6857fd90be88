"""What a figure is made of: spheres on its bones, and the hulls of spheres that are its shapes.

A sphere projects to a circle and a hull of spheres to the hull of the circles, so that the outline
of a shape is right from every side: a torso is narrow in profile because its spheres are.
"""

from __future__ import annotations

import numpy as np

from training.renderer.body import Bone

SHORTS_END = 0.74  # of the thigh

# Sphere: centre in its bone's frame and radius. On limbs y is a fraction of the bone's length;
# everything else is in body heights of the average build.
_TRUNK = {
    "waist_l": (Bone.PELVIS, 0.044, -0.100, 0.000, 0.054),
    "waist_r": (Bone.PELVIS, -0.044, -0.100, 0.000, 0.054),
    "seat_l": (Bone.PELVIS, 0.036, 0.010, -0.020, 0.057),
    "seat_r": (Bone.PELVIS, -0.036, 0.010, -0.020, 0.057),
    "hem_l": (Bone.PELVIS, 0.056, -0.028, 0.000, 0.058),
    "hem_r": (Bone.PELVIS, -0.056, -0.028, 0.000, 0.058),
    "belly": (Bone.PELVIS, 0.000, -0.055, 0.014, 0.060),
    "middle_l": (Bone.CHEST, 0.040, 0.000, 0.000, 0.055),
    "middle_r": (Bone.CHEST, -0.040, 0.000, 0.000, 0.055),
    "chest_l": (Bone.CHEST, 0.058, -0.125, 0.008, 0.060),
    "chest_r": (Bone.CHEST, -0.058, -0.125, 0.008, 0.060),
    "collar": (Bone.CHEST, 0.000, -0.226, -0.006, 0.034),
    "neck_base": (Bone.CHEST, 0.000, -0.212, -0.002, 0.028),
    "bag_top_l": (Bone.CHEST, 0.045, -0.165, -0.082, 0.034),
    "bag_top_r": (Bone.CHEST, -0.045, -0.165, -0.082, 0.034),
    "bag_low_l": (Bone.CHEST, 0.052, -0.010, -0.092, 0.040),
    "bag_low_r": (Bone.CHEST, -0.052, -0.010, -0.092, 0.040),
}
_HEAD = {
    "cranium": (Bone.HEAD, 0.000, 0.000, 0.000, 0.066),
    "jaw": (Bone.HEAD, 0.000, 0.046, 0.017, 0.046),
    "occiput": (Bone.HEAD, 0.000, 0.004, -0.014, 0.060),
    "nape": (Bone.HEAD, 0.000, 0.034, -0.012, 0.029),
    "nose_bridge": (Bone.HEAD, 0.000, 0.012, 0.062, 0.006),
    "nose_tip": (Bone.HEAD, 0.000, 0.030, 0.071, 0.0095),
    "hair_top": (Bone.HEAD, 0.000, -0.010, -0.014, 0.066),
    "bob_l": (Bone.HEAD, 0.042, 0.060, -0.026, 0.036),
    "bob_r": (Bone.HEAD, -0.042, 0.060, -0.026, 0.036),
    "mane_l": (Bone.HEAD, 0.034, 0.140, -0.048, 0.032),
    "mane_r": (Bone.HEAD, -0.034, 0.140, -0.048, 0.032),
    "bun": (Bone.HEAD, 0.000, -0.052, -0.060, 0.032),
    "tail_root": (Bone.HEAD, 0.000, -0.020, -0.078, 0.022),
    "tail_middle": (Bone.HEAD, 0.000, 0.050, -0.102, 0.023),
    "tail_end": (Bone.HEAD, 0.000, 0.125, -0.088, 0.011),
    "peak_l": (Bone.HEAD, 0.036, -0.026, 0.052, 0.008),
    "peak_r": (Bone.HEAD, -0.036, -0.026, 0.052, 0.008),
    "peak_front_l": (Bone.HEAD, 0.022, -0.020, 0.108, 0.006),
    "peak_front_r": (Bone.HEAD, -0.022, -0.020, 0.108, 0.006),
}


def _paired_spheres(side: int) -> dict[str, tuple[Bone, float, float, float, float]]:
    """Spheres of the left (0) or right (1) limbs and ear; thumbs point forward, palms inward."""
    s = 1.0 - 2.0 * side
    upper_arm, thigh = Bone(Bone.UPPER_ARM_L + side), Bone(Bone.THIGH_L + side)
    forearm, shin = Bone(Bone.FOREARM_L + side), Bone(Bone.SHIN_L + side)
    hand, foot = Bone(Bone.HAND_L + side), Bone(Bone.FOOT_L + side)
    return {
        "ear": (Bone.HEAD, s * 0.066, 0.010, -0.004, 0.0145),
        "lobe": (Bone.HEAD, s * 0.062, 0.026, -0.001, 0.010),
        "shoulder": (upper_arm, 0.0, 0.00, 0.000, 0.043),
        "biceps": (upper_arm, 0.0, 0.42, 0.004, 0.037),
        "sleeve_top": (upper_arm, 0.0, 0.00, 0.000, 0.046),
        "sleeve_end": (upper_arm, 0.0, 0.55, 0.002, 0.044),
        "elbow": (forearm, 0.0, 0.00, 0.000, 0.032),
        "forearm": (forearm, 0.0, 0.28, 0.003, 0.033),
        "cuff": (forearm, 0.0, 0.90, 0.000, 0.028),
        "wrist": (hand, 0.0, 0.00, 0.000, 0.022),
        "palm": (hand, 0.0, 0.38, 0.000, 0.025),
        "fingers": (hand, -s * 0.006, 0.95, 0.000, 0.014),
        "thumb_root": (hand, -s * 0.004, 0.25, 0.014, 0.012),
        "thumb": (hand, -s * 0.010, 0.62, 0.036, 0.0085),
        "hip": (thigh, 0.0, 0.00, 0.000, 0.061),
        "quadriceps": (thigh, 0.0, 0.38, 0.006, 0.056),
        "shorts_end": (thigh, 0.0, SHORTS_END, 0.002, 0.057),
        "lap_start": (thigh, 0.0, 0.00, 0.002, 0.057),
        "bare_lap_start": (thigh, 0.0, SHORTS_END, 0.002, 0.052),
        "lap_end": (shin, 0.0, 0.00, 0.002, 0.043),
        "shorts_lap_start": (thigh, 0.0, 0.00, 0.002, 0.058),
        "shorts_lap_end": (thigh, 0.0, SHORTS_END, 0.002, 0.057),
        "skirt_hem": (thigh, s * 0.014, 0.78, 0.000, 0.066),
        "knee": (shin, 0.0, 0.00, 0.002, 0.043),
        "calf": (shin, 0.0, 0.27, -0.010, 0.042),
        "turn_up": (shin, 0.0, 0.93, 0.000, 0.036),
        "sock_top": (shin, 0.0, 0.78, -0.003, 0.032),
        "ankle": (foot, 0.0, 0.000, 0.000, 0.027),
        "heel": (foot, 0.0, 0.026, -0.022, 0.025),
        "ball": (foot, 0.0, 0.029, 0.062, 0.023),
        "toe": (foot, 0.0, 0.032, 0.090, 0.019),
        "sole_heel": (foot, 0.0, 0.042, -0.026, 0.015),
        "sole_toe": (foot, 0.0, 0.044, 0.100, 0.010),
    }


_SPHERES = {
    **_TRUNK,
    **_HEAD,
    **{f"{name}_l": sphere for name, sphere in _paired_spheres(0).items()},
    **{f"{name}_r": sphere for name, sphere in _paired_spheres(1).items()},
}

_TRUNK_HULLS = {
    "pelvis": ("hip_l", "hip_r", "seat_l", "seat_r", "waist_l", "waist_r"),
    "abdomen": ("middle_l", "middle_r", "hem_l", "hem_r", "belly"),
    "chest": ("shoulder_l", "shoulder_r", "chest_l", "chest_r", "middle_l", "middle_r", "collar"),
    "neck": ("neck_base", "nape"),
    "skull": ("cranium", "occiput", "jaw"),
    "nose": ("nose_bridge", "nose_tip"),
    "bob": ("hair_top", "bob_l", "bob_r"),
    "mane": ("hair_top", "bob_l", "bob_r", "mane_l", "mane_r"),
    "bun": ("bun",),
    "ponytail": ("tail_root", "tail_middle", "tail_end"),
    "peak": ("peak_l", "peak_r", "peak_front_l", "peak_front_r"),
    "bag": ("bag_top_l", "bag_top_r", "bag_low_l", "bag_low_r"),
    "skirt": ("waist_l", "waist_r", "hip_l", "hip_r", "skirt_hem_l", "skirt_hem_r"),
}
_PAIRED_HULLS = {
    "ear": ("ear", "lobe"),
    "upper_arm": ("shoulder", "biceps", "elbow"),
    "sleeve": ("sleeve_top", "sleeve_end"),
    "forearm": ("elbow", "forearm", "wrist"),
    "long_sleeve": ("elbow", "forearm", "cuff"),
    "hand": ("wrist", "palm", "fingers"),
    "thumb": ("thumb_root", "thumb"),
    "thigh": ("hip", "quadriceps", "knee"),
    "lap": ("lap_start", "lap_end"),
    "bare_lap": ("bare_lap_start", "lap_end"),
    "shorts_lap": ("shorts_lap_start", "shorts_lap_end"),
    "shorts": ("hip", "quadriceps", "shorts_end"),
    "shin": ("knee", "calf", "ankle"),
    "trouser_leg": ("knee", "calf", "turn_up"),
    "sock": ("sock_top", "ankle"),
    "shoe": ("ankle", "heel", "ball", "toe"),
    "sole": ("sole_heel", "sole_toe"),
}
_HULLS = {
    **_TRUNK_HULLS,
    **{f"{n}_l": tuple(f"{s}_l" for s in spheres) for n, spheres in _PAIRED_HULLS.items()},
    **{f"{n}_r": tuple(f"{s}_r" for s in spheres) for n, spheres in _PAIRED_HULLS.items()},
}

SPHERE_NUMBERS = {name: number for number, name in enumerate(_SPHERES)}
HULL_NUMBERS = {name: number for number, name in enumerate(_HULLS)}
SPHERE_BONES = np.array([sphere[0] for sphere in _SPHERES.values()])
SPHERE_CENTRES = np.array([sphere[1:4] for sphere in _SPHERES.values()])
SPHERE_RADII = np.array([sphere[4] for sphere in _SPHERES.values()])
_LARGEST_HULL = max(len(spheres) for spheres in _HULLS.values())
# Shorter hulls repeat their first sphere, which changes no hull.
HULL_SPHERES = np.array(
    [
        [SPHERE_NUMBERS[name] for name in (spheres + spheres[:1] * _LARGEST_HULL)[:_LARGEST_HULL]]
        for spheres in _HULLS.values()
    ]
)
