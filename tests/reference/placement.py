"""Where the people of a scene stand: lists of figures in heatmap cells, back to front.

`size` is the (width, height) of the heatmaps; every figure's box lies inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.reference.people import KEYPOINT_COUNT, Figure, covered, person

TRIES = 40


def apart(rng: np.random.Generator, count: int, size: NDArray[np.float64]) -> list[Figure]:
    """Figures whose boxes do not touch, each inside the frame; they shrink until they fit."""
    share = 0.85 / np.sqrt(max(count - 1, 1))
    while True:
        figures: list[Figure] = []
        for _ in range(TRIES * count):
            figure = _anywhere(rng, rng.uniform(0.3, 1.0) * share * size[1], size)
            if not (_overlap(figure.box, _boxes(figures)) > 0).any():
                figures.append(figure)
            if len(figures) == count:
                return _back_to_front(figures)
        share *= 0.9


def in_a_row(rng: np.random.Generator, count: int, size: NDArray[np.float64]) -> list[Figure]:
    """Standing figures side by side, from shoulder to shoulder to a body length apart."""
    height = rng.uniform(0.45, 0.8) * size[1]
    gaps = height * rng.uniform(0.22, 0.75, size=count)
    shrink = min(1.0, 0.75 * size[0] / gaps[1:].sum()) if count > 1 else 1.0
    figures = []
    for x in shrink * (np.cumsum(gaps) - gaps[0]):
        own = shrink * height * rng.normal(1.0, 0.06)
        place = np.array([x, rng.normal(0.0, 0.04) * height])
        figures.append(person(rng, height=own, posture="standing").moved(place))
    boxes = _boxes(figures)
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    factor = min(1.0, float((size / (high - low)).min()))
    room = size - factor * (high - low)
    offset = rng.random(2) * room - factor * low
    return _back_to_front([figure.scaled(factor).moved(offset) for figure in figures])


def mixed(rng: np.random.Generator, count: int, size: NDArray[np.float64]) -> list[Figure]:
    """Figures anywhere inside the frame whose boxes overlap by half at most, if there is room."""
    share = 0.9 / np.sqrt(max(count, 1.5))
    figures: list[Figure] = []
    for _ in range(count):
        for _ in range(TRIES):
            figure = _anywhere(rng, rng.uniform(0.5, 1.0) * share * size[1], size)
            if (_overlap(figure.box, _boxes(figures)) < 0.5).all():
                break
        figures.append(figure)
    return _back_to_front(figures)


def crowded(rng: np.random.Generator, count: int, size: NDArray[np.float64]) -> list[Figure]:
    """Figures in front of each other all over the frame; nearer ones are larger and lower.

    Each takes the emptiest of three places at its distance: people do not stand in one another.
    """
    far, near = 0.16 * size[1], 0.42 * size[1]
    figures: list[Figure] = []
    for nearness in np.sort(rng.random(count)):
        figure = _anywhere(rng, (far + nearness * (near - far)) * rng.normal(1.0, 0.08), size)
        left, top, right, bottom = figure.box
        feet = (0.45 + 0.55 * nearness + rng.normal(0.0, 0.05)) * size[1]
        down = np.clip(feet - bottom, -top, size[1] - bottom)
        moves = np.column_stack([rng.uniform(-left, size[0] - right, 3), np.full(3, down)])
        places = figure.box + np.tile(moves, 2)
        crowding = _overlap(places[:, None], _boxes(figures)).sum(axis=1)
        figures.append(figure.moved(moves[crowding.argmin()]))
    return _back_to_front(figures)


def occluded(figures: list[Figure]) -> NDArray[np.bool_]:
    """Which keypoints (N, K) lie behind the flesh of a figure later in the list."""
    hidden = [covered(figure.keypoints, figures[i + 1 :]) for i, figure in enumerate(figures)]
    return np.array(hidden, dtype=bool).reshape(len(figures), KEYPOINT_COUNT)


def _anywhere(rng: np.random.Generator, height: float, size: NDArray[np.float64]) -> Figure:
    """A person of this height or, where its box would not fit, smaller, inside the frame."""
    figure = person(rng, height=height)
    extent = figure.box[2:] - figure.box[:2]
    figure = figure.scaled(min(1.0, float((size / extent).min())))
    low, high = figure.box[:2], figure.box[2:]
    return figure.moved(rng.random(2) * (size - (high - low)) - low)


def _boxes(figures: list[Figure]) -> NDArray[np.float64]:
    return np.array([figure.box for figure in figures]).reshape(-1, 4)


def _overlap(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection of boxes (..., 4) over the smaller of the two, broadcast."""
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    smaller = np.minimum(_area(boxes), _area(others))
    return np.asarray(shared / smaller)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))


def _back_to_front(figures: list[Figure]) -> list[Figure]:
    """Sort figures by distance, farthest first: nearer ones stand lower in the frame."""
    return sorted(figures, key=lambda figure: float(figure.box[3]))
