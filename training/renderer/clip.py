"""Clips: a few people who walk, run, wave, pass in front of each other, come, go and hide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.renderer.actor import Actor, postures
from training.renderer.backdrop import paint_backdrop
from training.renderer.canvas import Canvas
from training.renderer.column import Column, draw_columns
from training.renderer.company import draw_company
from training.renderer.crowd import Crowd, draw_crowd, take_shape
from training.renderer.footing import Footing
from training.renderer.ground import Ground, lay_ground
from training.renderer.light import Light, draw_light
from training.renderer.painter import Painter
from training.renderer.placement import Placement
from training.renderer.plot import Plot
from training.renderer.scene import Scene
from training.renderer.shadow import cast_shadow
from training.renderer.truth import sight

_FEWEST_PEOPLE, _MOST_PEOPLE = 3, 5
_SHADOW_HALF_WIDTH = 0.22  # body heights
_CUTS = 2


@dataclass(frozen=True, slots=True)
class _Stage:
    """All that stays the same over a clip."""

    ground: Ground
    backdrop: NDArray[np.uint8]
    light: Light
    crowd: Crowd
    company: Sequence[Actor]
    footing: Footing
    columns: tuple[Column, ...]


def render_clip(
    seed: tuple[int, ...] | int,
    *,
    size: tuple[int, int],
    frame_count: int,
    frames_per_second: float,
    plot: Plot = Plot.CROSSINGS,
) -> Iterator[Scene]:
    """The frames of a clip that depends on nothing but its arguments.

    `size` is (width, height) in pixels. Until a cut, background, light and clothes stay the same,
    and every person's `identity` does over the whole clip. A person of whom next to nothing is in
    the picture is left out of that frame.
    """
    if plot is not Plot.CUTS:
        yield from _render_shot(seed, size, frame_count, frames_per_second, plot)
        return
    numbers = (seed,) if isinstance(seed, int) else seed
    ends = np.linspace(0, frame_count, _CUTS + 2).round().astype(int).tolist()
    for shot, (start, end) in enumerate(itertools.pairwise(ends)):
        scenes = _render_shot((*numbers, shot), size, end - start, frames_per_second, plot)
        for scene in scenes:
            people = (
                replace(person, identity=person.identity + shot * _MOST_PEOPLE)
                for person in scene.people
            )
            yield replace(scene, people=tuple(people))


def _render_shot(
    seed: tuple[int, ...] | int,
    size: tuple[int, int],
    frame_count: int,
    frames_per_second: float,
    plot: Plot,
) -> Iterator[Scene]:
    stage = _set_stage(seed, size, plot, duration_secs=frame_count / frames_per_second)
    for frame in range(frame_count):
        yield _render(stage, frame / frames_per_second)


def _set_stage(
    seed: tuple[int, ...] | int, size: tuple[int, int], plot: Plot, *, duration_secs: float
) -> _Stage:
    width, height = size
    rng = np.random.default_rng(seed)
    light = draw_light(rng)
    ground = lay_ground(width, height)
    backdrop = paint_backdrop(rng, width, height, ground.horizon)
    count = int(rng.integers(_FEWEST_PEOPLE, _MOST_PEOPLE + 1))
    crowd = draw_crowd(rng, count, light, is_uniform=plot is Plot.EQUAL_CLOTHES)
    company = draw_company(
        rng, crowd.build, ground, duration_secs, all_travel=plot is Plot.ENTRANCES
    )
    return _Stage(
        ground=ground,
        backdrop=backdrop,
        light=light,
        crowd=crowd,
        company=company,
        footing=Footing(company, crowd.build),
        columns=draw_columns(rng, ground, light) if plot is Plot.OCCLUSIONS else (),
    )


def _render(stage: _Stage, secs: float) -> Scene:
    ground, crowd = stage.ground, stage.crowd
    places = np.stack([actor.place(secs) for actor in stage.company])
    placement = _stand(stage, places, secs)
    angles = postures(stage.company, secs)
    shape = take_shape(crowd.build, angles, camera_pitch=ground.camera_pitch)
    canvas = Canvas(
        image=stage.backdrop.copy(), truth=np.zeros(stage.backdrop.shape[:2], np.uint16)
    )
    feet = ground.frame_from_ground(places)
    for (x, y), scale in zip(feet.tolist(), placement.scales.tolist(), strict=True):
        cast_shadow(canvas.image, x, y, _SHADOW_HALF_WIDTH * scale)
    painter = Painter(crowd, shape, placement, stage.light, steady=True)
    for person in np.argsort(-places[:, 1]).tolist():
        painter.paint(canvas, person)
    for column in stage.columns:
        column.paint(canvas)
    sightings = sight(canvas.truth, shape, placement)
    people = tuple(sighting.person for sighting in sightings if sighting.is_recognisable)
    return Scene(image=canvas.image, people=people)


def _stand(stage: _Stage, places: NDArray[np.float64], secs: float) -> Placement:
    """Puts everybody's pelvis over their place on the ground."""
    ground = stage.ground
    scales = ground.scales(places)
    pelvises = ground.frame_from_ground(places)
    pelvises[:, 1] -= np.cos(ground.camera_pitch) * stage.footing.pelvis_heights(secs) * scales
    return Placement(scales=scales, pelvises=pelvises)
