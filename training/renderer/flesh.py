"""The spheres of figures in a posture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.renderer.anatomy import (
    SHORTS_END,
    SPHERE_BONES,
    SPHERE_CENTRES,
    SPHERE_NUMBERS,
    SPHERE_RADII,
)
from training.renderer.body import Bone, Bones, Build, bone_lengths

Floats = NDArray[np.float64]

# Half of the trunk's depth from front to back, and from one side to the other.
_TRUNK_HALF_DEPTH, _TRUNK_HALF_WIDTH = 0.060, 0.075


@dataclass(frozen=True, slots=True)
class Flesh:
    """Spheres of P people in view space: centres (P, S, 3), radii (P, S).

    `towards_camera` (3,) is level: what is nearer along it comes in front. Along the axis of a
    camera that looks down, all heads would be nearer than all trunks.
    """

    centres: Floats
    radii: Floats
    towards_camera: Floats

    def sphere(self, name: str) -> tuple[Floats, Floats]:
        """Centre (P, 3) and radius (P,) of the sphere of that name."""
        number = SPHERE_NUMBERS[name]
        return self.centres[:, number], self.radii[:, number]


def cover(bones: Bones, build: Build) -> Flesh:
    """Put the spheres on the bones."""
    local = SPHERE_CENTRES * _offset_scales(build)[:, SPHERE_BONES]
    radii = SPHERE_RADII * _radius_scales(build)[:, SPHERE_BONES]
    _raise_laps(local, radii, bones, build)
    turned = np.matmul(bones.axes[:, SPHERE_BONES], local[..., None])[..., 0]
    return Flesh(
        centres=turned + bones.origins[:, SPHERE_BONES],
        radii=radii,
        towards_camera=bones.towards_camera,
    )


def _raise_laps(local: Floats, radii: Floats, bones: Bones, build: Build) -> None:
    """Starts each lap where the thigh comes out of the trunk, as a share of the thigh.

    A thigh that hangs down comes out nowhere, and its lap shrinks to nothing at the knee; as the
    thigh rises the lap grows from there, so that nothing jumps in front of the trunk.
    """
    pelvis = bones.axes[:, Bone.PELVIS, 2]
    surface = _TRUNK_HALF_DEPTH * np.abs(pelvis[:, 2]) + _TRUNK_HALF_WIDTH * np.abs(pelvis[:, 0])
    for side, letter in enumerate("lr"):
        hip = bones.origins[:, Bone.THIGH_L + side, 2]
        knee = bones.origins[:, Bone.SHIN_L + side, 2]
        start = np.clip((surface - hip) / np.maximum(knee - hip, 1e-3), 0.0, 1.0)
        for name, shrinks_at in (("lap", 1.0), ("shorts_lap", SHORTS_END)):
            first = SPHERE_NUMBERS[f"{name}_start_{letter}"]
            last = SPHERE_NUMBERS[f"{name}_end_{letter}"]
            size = np.clip((shrinks_at - start) / 0.25, 0.0, 1.0)
            local[:, first, 1] = np.minimum(start, shrinks_at) * build.thigh
            radii[:, first] += (radii[:, last] - radii[:, first]) * start
            radii[:, first] *= size
            radii[:, last] *= size
        bare = SPHERE_NUMBERS[f"bare_lap_start_{letter}"]
        local[:, bare, 1] = np.maximum(start, SHORTS_END) * build.thigh
        radii[:, bare] = np.minimum(radii[:, bare], radii[:, SPHERE_NUMBERS[f"lap_end_{letter}"]])


def _offset_scales(build: Build) -> Floats:
    scales = np.ones((len(build.girth), len(Bone), 3))
    scales[:, :, 0] = scales[:, :, 2] = build.girth[:, None]
    scales[:, Bone.HEAD] = build.head[:, None]
    scales[:, 3:11, 1] = bone_lengths(build)
    scales[:, 11:13, 1] = build.hand[:, None]
    scales[:, 13:15] = build.foot[:, None, None]
    return scales


def _radius_scales(build: Build) -> Floats:
    scales = np.repeat(build.girth[:, None], len(Bone), axis=1)
    scales[:, Bone.HEAD] = build.head
    scales[:, 11:13] = build.hand[:, None] / 0.078
    scales[:, 13:15] = build.foot[:, None]
    return scales
