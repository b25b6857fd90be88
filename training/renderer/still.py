"""Stills: any number of people, anywhere, doing anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.renderer.background import draw_background
from training.renderer.canvas import Canvas
from training.renderer.crowd import draw_crowd, take_shape
from training.renderer.lens import draw_lens, expose
from training.renderer.light import draw_light
from training.renderer.occluder import hide_some_of, put_in_front
from training.renderer.painter import Painter
from training.renderer.placement import place
from training.renderer.scene import Scene
from training.renderer.shadow import cast_shadows
from training.renderer.stance import draw_postures
from training.renderer.truth import sight

# How often a still has 0, 1, 2 ... 8 people.
_PEOPLE_SHARES = np.array([0.02, 0.18, 0.22, 0.19, 0.14, 0.10, 0.07, 0.04, 0.04])
_PLAIN_OCCLUDER_SHARE = 0.15
_PERSON_OCCLUDER_SHARE = 0.06
_SHADOW_SHARE = 0.5
_ATTEMPTS = 4


def render_still(seed: tuple[int, ...] | int, *, size: int | tuple[int, int] = 256) -> Scene:
    """A picture of 0 to 8 people that depends on nothing but `seed` and `size`.

    `size` is a side or (width, height) in pixels. People of whom next to nothing is to be seen are
    left out of the truth; as a network should not be punished for finding them, such a scene is
    given up for another, up to four times.
    """
    width, height = (size, size) if isinstance(size, int) else size
    numbers = (seed,) if isinstance(seed, int) else seed
    for attempt in range(_ATTEMPTS):
        scene, is_complete = _render(np.random.default_rng((*numbers, attempt)), width, height)
        if is_complete:
            break
    return scene


def _render(rng: np.random.Generator, width: int, height: int) -> tuple[Scene, bool]:
    light = draw_light(rng)
    count = int(rng.choice(len(_PEOPLE_SHARES), p=_PEOPLE_SHARES / _PEOPLE_SHARES.sum()))
    crowd = draw_crowd(rng, count, light)
    camera_pitch = float(np.clip(rng.normal(0.08, 0.12), -0.15, 0.45))
    shape = take_shape(crowd.build, draw_postures(rng, count), camera_pitch=camera_pitch)
    canvas = Canvas(
        image=draw_background(rng, width, height), truth=np.zeros((height, width), np.uint16)
    )
    placement = place(rng, shape.extents(), width, height)
    if rng.random() < _SHADOW_SHARE:
        cast_shadows(canvas.image, shape, placement)
    painter = Painter(crowd, shape, placement, light)
    for person in np.argsort(placement.scales).tolist():
        painter.paint(canvas, person)
        if rng.random() < _PERSON_OCCLUDER_SHARE:
            scale = float(placement.scales[person])
            hide_some_of(rng, canvas, placement.pelvises[person], scale)
    if rng.random() < _PLAIN_OCCLUDER_SHARE:
        put_in_front(rng, canvas)
    sightings = sight(canvas.truth, shape, placement)
    image = expose(canvas.image, draw_lens(rng, width, height), rng)
    seen = [sighting.person for sighting in sightings if sighting.is_recognisable]
    people = tuple(replace(person, identity=index) for index, person in enumerate(seen))
    return Scene(image=image, people=people), len(people) == count
