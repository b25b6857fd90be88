"""The events of clips: people who come and go, hide, look alike, and are cut away."""

from __future__ import annotations

import itertools

import numpy as np

from training.clips import clip
from training.renderer import Plot, Scene, render_clip
from training.renderer.crowd import draw_crowd
from training.renderer.light import draw_light
from training.splits import Split

SIZE, FRAMES, RATE = (160, 90), 24, 12.0


def render(plot: Plot, seed: int) -> list[Scene]:
    return list(
        render_clip((seed, 3), size=SIZE, frame_count=FRAMES, frames_per_second=RATE, plot=plot)
    )


def identities(scene: Scene) -> set[int]:
    return {person.identity for person in scene.people}


def test_cuts_replace_place_and_people() -> None:
    scenes = render(Plot.CUTS, 1)
    parts = (scenes[:8], scenes[8:16], scenes[16:])
    shots = [set().union(*map(identities, part)) for part in parts]
    assert len(shots) == 3
    assert sum(map(len, shots)) == len(set().union(*shots)) > 3
    changes = [
        (after.image != before.image).any(axis=2).mean()
        for before, after in itertools.pairwise(scenes)
    ]
    assert min(changes[7], changes[15]) > 3 * np.median(changes)


def test_columns_hide_people_completely() -> None:
    hidden = 0
    plain, covered = render(Plot.CROSSINGS, 1), render(Plot.OCCLUSIONS, 1)
    for open_scene, scene in zip(plain, covered, strict=True):
        assert identities(scene) <= identities(open_scene)
        hidden += len(identities(open_scene) - identities(scene))
    assert hidden > 0


def test_people_are_dressed_alike_on_request() -> None:
    rng = np.random.default_rng(4)
    light = draw_light(rng)
    alike = draw_crowd(rng, 4, light, is_uniform=True)
    assert all(costume == alike.costumes[0] for costume in alike.costumes)
    others = draw_crowd(rng, 4, light)
    assert others.costumes[0] != others.costumes[1]


def test_nobody_stays_where_everybody_comes_and_goes() -> None:
    scenes = render(Plot.ENTRANCES, 2)
    ways: dict[int, list[float]] = {}
    for scene in scenes:
        for person in scene.people:
            ways.setdefault(person.identity, []).append(person.keypoints[[11, 12], 0].mean())
    assert all(np.ptp(way) > 0.5 * len(way) for way in ways.values() if len(way) > 10)


def test_splits_have_other_clips() -> None:
    first, second = (
        next(clip(split, Plot.CROSSINGS, 0)) for split in (Split.VALIDATION, Split.HELD_OUT)
    )
    assert (first.image != second.image).any()
