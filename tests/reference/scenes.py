"""Painted scenes: network outputs for people whose keypoints are known.

A scene is a function of its kind, seed and size alone; across NumPy versions and processors it may
differ in the last bits of its floats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tests.reference import placement
from tests.reference.painting import Evidence, Noise, joined, outshone, paint, suppress_non_maxima
from tests.reference.people import KEYPOINT_COUNT, MIRROR, Figure, person

__all__ = [
    "KINDS",
    "Evidence",
    "Kind",
    "Noise",
    "PaintedScene",
    "crowd",
    "paint",
    "person",
    "scene",
    "suppress_non_maxima",
]

Kind = Literal["separated", "close_tags", "noisy", "crowded"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Occlusion leaves at least so many keypoints: COCO would not annotate a person with fewer.
FEWEST_VISIBLE = 5


@dataclass(frozen=True, slots=True)
class PaintedScene:
    """What the network emits for N people with K keypoints, and where they are.

    `heatmaps` (K, H, W) are signed: cells that are not the maximum of their 5x5 window are negated.
    `tags` (K, H, W). `keypoints` (N, K, 2) are continuous (x, y) heatmap coordinates, the centre of
    cell i at i + 0.5, which is a decoder's output with delta 0.5. `visible` (N, K): the keypoint is
    annotated and has left a peak, however low. `areas` (N,) are box areas in cells².
    """

    heatmaps: NDArray[np.float32]
    tags: NDArray[np.float32]
    keypoints: NDArray[np.float64]
    visible: NDArray[np.bool_]
    areas: NDArray[np.float64]

    @property
    def unsigned_heatmaps(self) -> NDArray[np.float32]:
        """The heatmaps (K, H, W) before non-maximum suppression."""
        return np.abs(self.heatmaps)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What makes a kind of scene hard.

    `people` is the range of their number, inclusive. `weak`, `missing` and `echoed` are shares of
    keypoints: below the detection threshold of 0.1, not seen at all, seen on the mirrored side too.
    `clutter` is the mean number of peaks that belong to no person. `tag_noise` is the deviation of
    a keypoint's tag from its person's.
    """

    people: tuple[int, int]
    place: Callable[[np.random.Generator, int, NDArray[np.float64]], list[Figure]]
    draw_tags: Callable[[np.random.Generator, int], NDArray[np.float64]]
    tag_noise: float
    noise: Noise
    weak: float
    missing: float
    echoed: float = 0.0
    clutter: float = 0.0


def _spaced_tags(
    nearest: float, farthest: float
) -> Callable[[np.random.Generator, int], NDArray[np.float64]]:
    """Tags (N,) in random order, neighbours in value `nearest` to `farthest` apart."""

    def draw(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        tags = np.cumsum(rng.uniform(nearest, farthest, size=count))
        return rng.permutation(tags - tags.mean() + rng.normal(0.0, 0.5))

    return draw


def _spread_tags(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Tags (N,) as trained networks spread them over a crowd: some are close by chance."""
    return rng.normal(0.0, 2.5, size=count)


DIFFICULTIES: dict[Kind, Difficulty] = {
    "separated": Difficulty(
        people=(1, 6),
        place=placement.apart,
        draw_tags=_spaced_tags(2.0, 3.0),
        tag_noise=0.08,
        noise=Noise(heat_smooth=0.003, heat_white=0.002, tag_background=0.3, tag_white=0.02),
        weak=0.05,
        missing=0.02,
    ),
    "close_tags": Difficulty(
        people=(2, 6),
        place=placement.in_a_row,
        draw_tags=_spaced_tags(0.15, 0.45),
        tag_noise=0.045,
        noise=Noise(heat_smooth=0.003, heat_white=0.002, tag_background=0.3, tag_white=0.01),
        weak=0.05,
        missing=0.03,
    ),
    "noisy": Difficulty(
        people=(1, 6),
        place=placement.mixed,
        draw_tags=_spaced_tags(1.0, 2.0),
        tag_noise=0.2,
        noise=Noise(heat_smooth=0.02, heat_white=0.01, tag_background=0.5, tag_white=0.05),
        weak=0.22,
        missing=0.08,
        echoed=0.08,
        clutter=15.0,
    ),
    "crowded": Difficulty(
        people=(8, 30),
        place=placement.crowded,
        draw_tags=_spread_tags,
        tag_noise=0.12,
        noise=Noise(heat_smooth=0.006, heat_white=0.004, tag_background=0.4, tag_white=0.03),
        weak=0.08,
        missing=0.04,
        echoed=0.04,
        clutter=4.0,
    ),
}


def scene(kind: Kind, seed: int, *, width: int = 256, height: int = 256) -> PaintedScene:
    """A scene of one class of difficulty; the maps are (K, height, width) cells.

    `separated`: 1 to 6 people who do not touch, tags at least 2 apart. `close_tags`: 2 to 6 people
    side by side, each tag 0.15 to 0.45 from the next one. `noisy`: 1 to 6 people with scattered
    tags, clutter and many weak keypoints. `crowded`: 8 to 30 people, overlapping, with tags that
    are close by chance.
    """
    rng = np.random.default_rng([KINDS.index(kind), seed])
    few, many = DIFFICULTIES[kind].people
    count = int(rng.integers(few, many + 1))
    return _painted(rng, DIFFICULTIES[kind], count, width=width, height=height)


def crowd(count: int, *, width: int, height: int, seed: int, apart: bool = False) -> PaintedScene:
    """A scene of exactly `count` people inside the frame and no clutter.

    They overlap, and hide about a third of each other's keypoints in a full frame; `apart`, they
    do not touch, and are as small as that takes.
    """
    rng = np.random.default_rng([len(KINDS), count, seed])
    if apart:
        difficulty = replace(DIFFICULTIES["separated"], draw_tags=_spread_tags)
    else:
        difficulty = replace(DIFFICULTIES["crowded"], clutter=0.0)
    return _painted(rng, difficulty, count, width=width, height=height)


def _painted(
    rng: np.random.Generator, difficulty: Difficulty, count: int, *, width: int, height: int
) -> PaintedScene:
    size = np.array([width, height], dtype=np.float64)
    figures = difficulty.place(rng, count, size) if count else []
    people = _evidence(rng, difficulty, figures)
    parts = [
        people,
        _echoes(rng, people, difficulty.echoed),
        _clutter(rng, difficulty.clutter, size),
    ]
    maps = paint(rng, joined(*parts), width=width, height=height, noise=difficulty.noise)
    boxes = np.array([figure.box for figure in figures]).reshape(count, 2, 2)
    return PaintedScene(
        heatmaps=suppress_non_maxima(maps[0]),
        tags=maps[1],
        keypoints=people.keypoints,
        visible=people.amplitudes > 0,
        areas=np.diff(boxes, axis=1).prod(axis=(1, 2)),
    )


def _evidence(rng: np.random.Generator, difficulty: Difficulty, figures: list[Figure]) -> Evidence:
    """The peaks of the people, lower or missing where another person stands in front."""
    shape = (len(figures), KEYPOINT_COUNT)
    keypoints = np.array([figure.keypoints for figure in figures]).reshape(*shape, 2)
    amplitudes = rng.uniform(0.5, 1.0, size=(len(figures), 1)) * rng.uniform(0.6, 1.0, size=shape)
    amplitudes = _weakened(rng, amplitudes, weak=difficulty.weak, missing=difficulty.missing)
    hidden = placement.occluded(figures)
    behind = _weakened(rng, amplitudes, weak=0.3, missing=0.4)
    seen = np.where(hidden, behind, amplitudes)
    too_few = (seen > 0).sum(axis=1) < FEWEST_VISIBLE
    seen[too_few] = amplitudes[too_few]
    for row, figure in zip(seen, figures, strict=True):
        row[~figure.faces_camera] = 0
    tags = difficulty.draw_tags(rng, len(figures))[:, None]
    tags = tags + rng.normal(0.0, difficulty.tag_noise, size=shape)
    merged = outshone(Evidence(keypoints, seen, tags))
    return Evidence(keypoints, np.where(merged, 0.0, seen), tags)


def _weakened(
    rng: np.random.Generator, amplitudes: NDArray[np.float64], *, weak: float, missing: float
) -> NDArray[np.float64]:
    """Some amplitudes drawn anew below the detection threshold, some set to 0."""
    draws = rng.random(amplitudes.shape)
    below = np.minimum(amplitudes, rng.uniform(0.02, 0.09, size=amplitudes.shape))
    return np.where(draws < missing, 0.0, np.where(draws < missing + weak, below, amplitudes))


def _echoes(rng: np.random.Generator, people: Evidence, share: float) -> Evidence:
    """Left keypoints seen at the right ones and back: lower peaks with their person's tag."""
    chosen = (rng.random(people.amplitudes.shape) < share) & (np.arange(KEYPOINT_COUNT) != MIRROR)
    heights = rng.uniform(0.2, 0.7, size=chosen.shape) * people.amplitudes[:, MIRROR]
    return Evidence(people.keypoints[:, MIRROR], chosen * heights, people.tags[:, MIRROR])


def _clutter(rng: np.random.Generator, mean_count: float, size: NDArray[np.float64]) -> Evidence:
    """Peaks that belong to no person, each a row of its own."""
    count = int(rng.poisson(mean_count))
    amplitudes = np.zeros((count, KEYPOINT_COUNT))
    channels = rng.integers(KEYPOINT_COUNT, size=count)
    amplitudes[np.arange(count), channels] = 0.1 + 0.4 * rng.random(count) ** 2
    places = rng.random((count, 1, 2)) * size
    tags = rng.normal(0.0, 2.0, size=(count, 1))
    return Evidence(
        np.broadcast_to(places, (*amplitudes.shape, 2)),
        amplitudes,
        np.broadcast_to(tags, amplitudes.shape),
    )
