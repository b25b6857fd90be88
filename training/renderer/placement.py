"""Where the people of a still stand and how large they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TRIES = 8
_TOLERATED_OVERLAP = 0.3

# Share of a body that may leave the picture, and of stills in which people are too large for it.
_CUT = 0.10
_CLOSE_UP_SHARE = 0.07


@dataclass(frozen=True, slots=True)
class Placement:
    """Where people are in the frame: pixels per body height (P,) and the pelvis (P, 2)."""

    scales: Floats
    pelvises: Floats

    def frame_from_view(self, points: Floats) -> Floats:
        """Points (P, ..., 2) in view space, in pixels."""
        extra = points.ndim - 2
        scales = self.scales.reshape(-1, *[1] * (extra + 1))
        return np.asarray(points * scales + self.pelvises.reshape(-1, *[1] * extra, 2))


def place(rng: np.random.Generator, extents: Floats, width: int, height: int) -> Placement:
    """Sizes and places people with `extents` (P, 4) around the pelvis, in body heights.

    One size for the scene, smaller for many people, and some spread around it. Every person takes
    the best of eight places: the first where bodies hardly overlap.
    """
    scales = _draw_scales(rng, extents, width, height)
    sizes = (extents[:, 2:] - extents[:, :2]) * scales[:, None]
    frame = np.array([width, height])
    corners = np.empty((len(extents), 2))
    placed: list[int] = []
    for person in np.argsort(-scales).tolist():
        slack = _CUT * sizes[person]
        lowest = np.minimum(-slack, frame - sizes[person] + slack)
        highest = np.maximum(-slack, frame - sizes[person] + slack)
        tries = rng.uniform(lowest, highest, (_TRIES, 2))
        overlaps = _overlaps(tries, sizes[person], corners[placed], sizes[placed])
        good = overlaps < _TOLERATED_OVERLAP
        chosen = int(np.argmax(good)) if good.any() else int(np.argmin(overlaps))
        corners[person] = tries[chosen]
        placed.append(person)
    return Placement(scales=scales, pelvises=corners - extents[:, :2] * scales[:, None])


def _draw_scales(rng: np.random.Generator, extents: Floats, width: int, height: int) -> Floats:
    count = len(extents)
    largest = 0.98 * min(1.0, (2.0 / max(count, 1)) ** 0.4)
    common = min(width, height) * np.exp(rng.uniform(np.log(0.30), np.log(largest)))
    scales = common * np.exp(0.2 * np.clip(rng.standard_normal(count), -2.0, 2.0))
    room = np.array([width, height]) / np.maximum(extents[:, 2:] - extents[:, :2], 0.1)
    fitting = 0.98 * room.min(axis=1)
    if rng.random() < _CLOSE_UP_SHARE:
        return np.asarray(np.minimum(1.5 * scales, 1.6 * fitting))
    return np.asarray(np.minimum(scales, fitting))


def _overlaps(tries: Floats, size: Floats, corners: Floats, sizes: Floats) -> Floats:
    """(T,): the largest share of the smaller of two boxes that lies in the other."""
    if len(corners) == 0:
        return np.zeros(len(tries))
    near = np.maximum(tries[:, None], corners)
    far = np.minimum(tries[:, None] + size, corners + sizes)
    common = np.prod(np.maximum(far - near, 0.0), axis=-1)
    smaller = np.minimum(np.prod(size), np.prod(sizes, axis=1))
    return np.asarray((common / smaller).max(axis=1))
