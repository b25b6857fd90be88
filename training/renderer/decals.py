"""Flat details on the trunk: what tells a person's front from their back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.body import Bone, Bones, Build
from training.renderer.light import Colour, Light, shades
from training.renderer.look import Look

Floats = NDArray[np.float64]

# Four corners in the chest's frame, on the surface of the average build's chest or back.
_DECALS = {
    "v_neck": ((0.034, -0.196, 0.036), (-0.034, -0.196, 0.036), (0.0, -0.135, 0.062)),
    "zip": (
        (0.005, -0.19, 0.040),
        (-0.005, -0.19, 0.040),
        (-0.005, 0.06, 0.06),
        (0.005, 0.06, 0.06),
    ),
    "button_1": (
        (0.0, -0.157, 0.056),
        (0.008, -0.15, 0.056),
        (0.0, -0.143, 0.056),
        (-0.008, -0.15, 0.056),
    ),
    "button_2": (
        (0.0, -0.097, 0.064),
        (0.008, -0.09, 0.064),
        (0.0, -0.083, 0.064),
        (-0.008, -0.09, 0.064),
    ),
    "button_3": (
        (0.0, -0.037, 0.062),
        (0.008, -0.03, 0.062),
        (0.0, -0.023, 0.062),
        (-0.008, -0.03, 0.062),
    ),
    "logo": (
        (0.032, -0.148, 0.060),
        (0.066, -0.146, 0.058),
        (0.064, -0.114, 0.060),
        (0.034, -0.114, 0.062),
    ),
    "print": (
        (0.0, -0.150, 0.058),
        (0.046, -0.092, 0.062),
        (0.0, -0.034, 0.060),
        (-0.046, -0.092, 0.062),
    ),
    "tie": (
        (0.009, -0.185, 0.044),
        (-0.009, -0.185, 0.044),
        (-0.016, -0.02, 0.062),
        (0.016, -0.02, 0.062),
    ),
    "strap_l": (
        (0.070, -0.205, 0.020),
        (0.048, -0.205, 0.020),
        (0.056, -0.05, 0.058),
        (0.078, -0.05, 0.052),
    ),
    "strap_r": (
        (-0.070, -0.205, 0.020),
        (-0.048, -0.205, 0.020),
        (-0.056, -0.05, 0.058),
        (-0.078, -0.05, 0.052),
    ),
    "back_print": (
        (0.045, -0.150, -0.046),
        (-0.045, -0.150, -0.046),
        (-0.045, -0.085, -0.050),
        (0.045, -0.085, -0.050),
    ),
}
_BACK = ("back_print",)
_NUMBERS = {name: number for number, name in enumerate(_DECALS)}
_CORNERS = np.array([(*corners, corners[-1])[:4] for corners in _DECALS.values()])
_FACING = np.array([-1.0 if name in _BACK else 1.0 for name in _DECALS])

# Cosine of the angle at which a detail has become too thin to see.
_GRAZING = 0.10

Decal = tuple[int, Colour]


def decorate(look: Look, light: Light) -> tuple[Decal, ...]:
    """The details on a person's chest and back, in order."""
    accent = shades(look.colours["accent"], light)[1]
    decals: list[Decal] = []
    if look.front == "v_neck":
        decals.append((_NUMBERS["v_neck"], shades(look.colours["skin"], light)[1]))
    elif look.front == "buttons":
        decals += [(_NUMBERS[f"button_{number}"], accent) for number in (1, 2, 3)]
    elif look.front != "plain":
        decals.append((_NUMBERS[look.front], accent))
    if look.back_print:
        decals.append((_NUMBERS["back_print"], accent))
    if look.bag:
        strap = shades(look.colours["bag"], light)[1]
        decals += [(_NUMBERS["strap_l"], strap), (_NUMBERS["strap_r"], strap)]
    return tuple(decals)


def place_decals(bones: Bones, build: Build) -> tuple[Floats, NDArray[np.bool_]]:
    """Polygons (P, 11, 4, 2) in view space, and (P, 11) which of them face the camera."""
    scales = np.stack((build.girth, build.chest / 0.195, build.girth), axis=1)
    chest = bones.axes[:, Bone.CHEST]
    local = _CORNERS.reshape(-1, 3) * scales[:, None]
    corners = local @ chest.transpose(0, 2, 1) + bones.origins[:, Bone.CHEST, None]
    polygons = corners[..., :2].reshape(len(chest), len(_DECALS), 4, 2)
    return polygons, chest[:, 2, 2, None] * _FACING > _GRAZING
