"""Faces, hair and hats on the sphere of the skull, for all people at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.body import Bone, Bones
from training.renderer.flesh import Flesh
from training.renderer.light import Colour, Light, shades
from training.renderer.look import Look
from training.renderer.spherecap import large_caps, small_caps

Floats = NDArray[np.float64]

_EYE = (0.37, 0.10, 0.92)
_LOWER = ("mouth",)  # on the jaw; all else is on the skull

# Direction in the head's frame, half width and half height as fractions of the radius.
_SMALL = {
    "white_l": (_EYE, 0.175, 0.115),
    "white_r": ((-_EYE[0], *_EYE[1:]), 0.175, 0.115),
    "iris_l": (_EYE, 0.105, 0.112),
    "iris_r": ((-_EYE[0], *_EYE[1:]), 0.105, 0.112),
    "brow_l": ((0.40, -0.14, 0.90), 0.20, 0.045),
    "brow_r": ((-0.40, -0.14, 0.90), 0.20, 0.045),
    "lens_l": (_EYE, 0.27, 0.20),
    "lens_r": ((-_EYE[0], *_EYE[1:]), 0.27, 0.20),
    "mouth": ((0.0, 0.16, 0.98), 0.27, 0.065),
    "fringe_l": ((0.42, -0.66, 0.62), 0.46, 0.17),
    "fringe_r": ((-0.42, -0.66, 0.62), 0.46, 0.17),
}
# Direction, half angle in degrees, radius as a fraction of the skull's (the beard's: the jaw's).
_LARGE = {
    "beard": ((0.0, 0.72, 0.69), 56.0, 1.03),
    "hair": ((0.0, -0.76, -0.65), 99.0, 1.10),
    "hair_light": ((0.0, -0.90, -0.44), 56.0, 1.05),
    "hat": ((0.0, -0.95, -0.30), 82.0, 1.14),
    "hat_light": ((0.0, -0.96, -0.26), 48.0, 1.10),
}


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


_SMALL_NUMBERS = {name: number for number, name in enumerate(_SMALL)}
_SMALL_AXES = _unit(np.array([feature[0] for feature in _SMALL.values()]))
_SMALL_ACROSS = _unit(np.cross(np.array([0.0, 1.0, 0.0]), _SMALL_AXES))
_SMALL_SIZES = np.array([feature[1:] for feature in _SMALL.values()])
_SMALL_ON_JAW = np.array([name in _LOWER for name in _SMALL])
_SMALL_RADII = np.array([1.09 if name.startswith("fringe") else 1.0 for name in _SMALL])
_LARGE_NUMBERS = {name: number for number, name in enumerate(_LARGE)}
_LARGE_AXES = _unit(np.array([feature[0] for feature in _LARGE.values()]))
_LARGE_ANGLES = np.radians([feature[1] for feature in _LARGE.values()])
_LARGE_RADII = np.array([feature[2] for feature in _LARGE.values()])
_LARGE_ON_JAW = np.array([name == "beard" for name in _LARGE])

EYE_DIRECTIONS = _SMALL_AXES[:2]

# A small feature whose centre is this far behind the rim is not painted any more.
_RIM_DEPTH = -0.06

Feature = tuple[bool, int, Colour]  # large or small, number, colour


def make_up(look: Look, light: Light) -> tuple[Feature, ...]:
    """What is painted on a person's head, in order."""
    skin, hair = shades(look.colours["skin"], light), shades(look.colours["hair"], light)
    white = shades(np.array([245.0, 245.0, 245.0]), light)[2]
    dark = shades(np.array([30.0, 28.0, 28.0]), light)[2]
    lips = shades(look.colours["skin"] * np.array([0.62, 0.55, 0.78]), light)[2]
    features: list[Feature] = []
    if look.beard:
        features.append((True, _LARGE_NUMBERS["beard"], hair[1]))
    features.append((False, _SMALL_NUMBERS["mouth"], lips))
    for side in "lr":
        if look.glasses or look.sunglasses:
            features.append((False, _SMALL_NUMBERS[f"lens_{side}"], dark))
        if not look.sunglasses:
            features.append((False, _SMALL_NUMBERS[f"white_{side}"], white))
            features.append((False, _SMALL_NUMBERS[f"iris_{side}"], dark))
        brow = hair[0] if look.hair != "none" else skin[0]
        features.append((False, _SMALL_NUMBERS[f"brow_{side}"], brow))
    if look.hair != "none":
        features.append((True, _LARGE_NUMBERS["hair"], hair[1]))
        if look.parting != "none":
            features.append((False, _SMALL_NUMBERS[f"fringe_{look.parting}"], hair[1]))
        features.append((True, _LARGE_NUMBERS["hair_light"], hair[2]))
    if look.hat:
        hat = shades(look.colours["hat"], light)
        features.append((True, _LARGE_NUMBERS["hat"], hat[1]))
        features.append((True, _LARGE_NUMBERS["hat_light"], hat[2]))
    return tuple(features)


def small_features(bones: Bones, flesh: Flesh) -> tuple[Floats, NDArray[np.bool_]]:
    """Polygons (P, 11, 10, 2) in view space, and (P, 11) which of them face the camera."""
    head = bones.axes[:, Bone.HEAD]
    axes = _SMALL_AXES @ head.transpose(0, 2, 1)
    across = _SMALL_ACROSS @ head.transpose(0, 2, 1)
    count = len(head)
    sizes = np.tile(_SMALL_SIZES, (count, 1))
    caps = small_caps(axes.reshape(-1, 3), across.reshape(-1, 3), sizes[:, 0], sizes[:, 1])
    caps = caps.reshape(count, len(_SMALL), *caps.shape[1:])
    return _on_sphere(caps, flesh, _SMALL_ON_JAW, _SMALL_RADII), axes[..., 2] > _RIM_DEPTH


def large_features(bones: Bones, flesh: Flesh) -> Floats:
    """Polygons (P, 5, 26, 2) of beard, hair and hat in view space."""
    head = bones.axes[:, Bone.HEAD]
    axes = _LARGE_AXES @ head.transpose(0, 2, 1)
    caps = large_caps(axes.reshape(-1, 3), np.tile(_LARGE_ANGLES, len(head)))
    caps = caps.reshape(len(head), len(_LARGE), *caps.shape[1:])
    return _on_sphere(caps, flesh, _LARGE_ON_JAW, _LARGE_RADII)


def _on_sphere(caps: Floats, flesh: Flesh, on_jaw: NDArray[np.bool_], radii: Floats) -> Floats:
    skull, skull_radius = flesh.sphere("cranium")
    jaw, jaw_radius = flesh.sphere("jaw")
    centres = np.where(on_jaw[:, None], jaw[:, None, :2], skull[:, None, :2])
    scales = radii * np.where(on_jaw, jaw_radius[:, None], skull_radius[:, None])
    return np.asarray(caps * scales[..., None, None] + centres[:, :, None])
