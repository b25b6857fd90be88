"""People: how they are built and dressed, and their shape in a posture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.renderer import keypoints
from training.renderer.body import Bones, Build, draw_build, move
from training.renderer.costume import Costume, dress
from training.renderer.decals import Decal, decorate
from training.renderer.face import Feature, make_up
from training.renderer.flesh import Flesh, cover
from training.renderer.light import Light
from training.renderer.look import Look, draw_look

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crowd:
    """P people: what stays the same of them while they move."""

    build: Build
    looks: tuple[Look, ...]
    costumes: tuple[Costume, ...]
    faces: tuple[tuple[Feature, ...], ...]
    decals: tuple[tuple[Decal, ...], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """P people in postures, in view space."""

    build: Build
    bones: Bones
    flesh: Flesh

    def extents(self) -> Floats:
        """(P, 4): left, top, right, bottom around the bodies, without bags and ponytails."""
        points = keypoints.place_keypoints(self.bones, self.flesh)[..., :2]
        skull, radius = self.flesh.sphere("cranium")
        reach = np.concatenate(
            (
                points,
                skull[:, None, :2] - radius[:, None, None],
                skull[:, None, :2] + radius[:, None, None],
                self.flesh.sphere("toe_l")[0][:, None, :2],
                self.flesh.sphere("toe_r")[0][:, None, :2],
                self.flesh.sphere("fingers_l")[0][:, None, :2],
                self.flesh.sphere("fingers_r")[0][:, None, :2],
            ),
            axis=1,
        )
        margin = 0.025
        return np.concatenate((reach.min(axis=1) - margin, reach.max(axis=1) + margin), axis=1)


def draw_crowd(
    rng: np.random.Generator, count: int, light: Light, *, is_uniform: bool = False
) -> Crowd:
    """`count` people in the given light, who look different or, if `is_uniform`, all the same."""
    looks = tuple(draw_look(rng) for _ in range(1 if is_uniform else count))
    if is_uniform:
        looks *= count
    return Crowd(
        build=draw_build(rng, count),
        looks=looks,
        costumes=tuple(dress(look, light) for look in looks),
        faces=tuple(make_up(look, light) for look in looks),
        decals=tuple(decorate(look, light) for look in looks),
    )


def take_shape(build: Build, angles: Floats, *, camera_pitch: float) -> Shape:
    """People of that build in postures (P, 29)."""
    bones = move(build, angles, camera_pitch=camera_pitch)
    return Shape(build=build, bones=bones, flesh=cover(bones, build))
