"""Heatmaps and tags as an associative-embedding network would emit them for known keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The networks are trained on Gaussians of two cells (HigherHRNet, w32_512_adam_lr1e-3.yaml).
SIGMA = 2.0
# A Gaussian is painted out to three sigma, where it is 1 % of its peak.
REACH = int(3 * SIGMA)
# The side of the windows, in cells, of which only the maximum keeps its sign.
NMS_WINDOW = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the network sees of N people (or lone peaks) with K keypoints each.

    `keypoints` (N, K, 2) are continuous (x, y) heatmap coordinates: the centre of cell i is at
    i + 0.5. `amplitudes` (N, K) are the heights of the Gaussians, 0 where nothing is seen.
    `tags` (N, K) are the associative-embedding values painted under them.
    """

    keypoints: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    tags: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of what is painted besides the evidence.

    `heat_smooth` varies over 8 cells and `heat_white` from cell to cell; `tag_background` varies
    over 32 cells and `tag_white` from cell to cell, also under a keypoint.
    """

    heat_smooth: float = 0.0
    heat_white: float = 0.0
    tag_background: float = 0.0
    tag_white: float = 0.0


def joined(*parts: Evidence) -> Evidence:
    """All people and peaks of the parts, in order."""
    return Evidence(
        np.concatenate([part.keypoints for part in parts]),
        np.concatenate([part.amplitudes for part in parts]),
        np.concatenate([part.tags for part in parts]),
    )


def outshone(people: Evidence) -> NDArray[np.bool_]:
    """Which keypoints (N, K) leave no peak, another Gaussian being as high at their centre."""
    apart = people.keypoints[:, None] - people.keypoints[None]
    heat = people.amplitudes * np.exp(-(apart**2).sum(axis=3) / (2 * SIGMA**2))
    np.einsum("nnk->nk", heat)[:] = -1
    return np.asarray(heat.max(axis=1, initial=-1) >= people.amplitudes)


def paint(
    rng: np.random.Generator,
    people: Evidence,
    *,
    width: int,
    height: int,
    noise: Noise | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unsigned heatmaps and tags, both (K, height, width).

    Where Gaussians of one keypoint overlap, each cell takes the heat and the tag of the highest.
    """
    noise = noise or Noise()
    heatmaps = np.zeros((people.keypoints.shape[1], height, width), np.float32)
    tags = np.zeros_like(heatmaps)
    _add_smooth(rng, tags, noise.tag_background, spacing=32)
    _paint_gaussians(heatmaps, tags, people)
    _add_smooth(rng, heatmaps, noise.heat_smooth, spacing=8)
    _add_white(rng, heatmaps, noise.heat_white)
    _add_white(rng, tags, noise.tag_white)
    np.maximum(heatmaps, 0, out=heatmaps)
    return heatmaps, tags


def suppress_non_maxima(heatmaps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The signed maps (K, H, W) of the networks: cells below their window's maximum negated.

    Neighbours that are equal maxima all stay positive, as in the network's max-pool comparison.
    """
    margin = NMS_WINDOW // 2
    signed = np.empty_like(heatmaps)
    _, height, width = heatmaps.shape
    bordered = np.full((height + 2 * margin, width + 2 * margin), -np.inf, np.float32)
    # One channel at a time stays in the processor's cache: twice as fast as all at once.
    for plane, signed_plane in zip(heatmaps, signed, strict=True):
        bordered[margin:-margin, margin:-margin] = plane
        tallest = _maxima_of_five(_maxima_of_five(bordered).T).T
        np.negative(plane, out=signed_plane)
        np.copyto(signed_plane, plane, where=tallest == plane)
    return signed


def _paint_gaussians(
    heatmaps: NDArray[np.float32], tags: NDArray[np.float32], people: Evidence
) -> None:
    _, height, width = heatmaps.shape
    seen = people.amplitudes > 0
    keypoints = np.nonzero(seen)[1]
    corners, patches = _gaussian_patches(people.keypoints[seen], people.amplitudes[seen])
    side = patches.shape[1]
    for k, (x, y), patch, tag in zip(
        keypoints.tolist(), corners.tolist(), patches, people.tags[seen].tolist(), strict=True
    ):
        if not (-side < x < width and -side < y < height):
            continue
        left, top = max(x, 0), max(y, 0)
        cells = (k, slice(top, y + side), slice(left, x + side))
        inside = patch[top - y : height - y, left - x : width - x]
        wins = inside > heatmaps[cells]
        np.copyto(heatmaps[cells], inside, where=wins)
        np.copyto(tags[cells], tag, where=wins)


def _gaussian_patches(
    centres: NDArray[np.float64], amplitudes: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Top-left cells (P, 2) as (x, y) and the heat (P, S, S) of Gaussians, 0 beyond REACH."""
    in_cells = centres - 0.5
    corners = np.floor(in_cells).astype(np.int64) - REACH
    cells = np.arange(2 * REACH + 2)
    squares = (corners[:, :, None] + cells - in_cells[:, :, None]) ** 2
    squares = squares[:, 1, :, None] + squares[:, 0, None, :]
    patches = amplitudes[:, None, None] * np.exp(-squares / (2 * SIGMA**2))
    patches[squares > REACH**2] = 0
    return corners, patches.astype(np.float32)


def _add_smooth(
    rng: np.random.Generator, field: NDArray[np.float32], deviation: float, *, spacing: int
) -> None:
    """Adds in place normal draws every `spacing` cells, bilinear between them."""
    if deviation <= 0:
        return
    count, height, width = field.shape
    nodes = rng.standard_normal((count, width // spacing + 2, height // spacing + 2))
    columns = _interpolated((deviation * nodes).astype(np.float32), width, spacing)
    for plane, values in zip(field, columns.swapaxes(1, 2), strict=True):
        plane += _interpolated(np.ascontiguousarray(values), height, spacing)


def _interpolated(nodes: NDArray[np.float32], size: int, spacing: int) -> NDArray[np.float32]:
    """(..., nodes, M) to (..., size, M), linear between nodes `spacing` cells apart.

    Without a matrix product: waking BLAS threads takes longer than the whole of it.
    """
    places = np.arange(size, dtype=np.float32)[:, None] / np.float32(spacing)
    below = np.arange(size) // spacing
    share = places - below[:, None].astype(np.float32)
    steps = np.diff(nodes, axis=-2)
    return np.asarray(nodes[..., below, :] + share * steps[..., below, :])


def _add_white(rng: np.random.Generator, field: NDArray[np.float32], deviation: float) -> None:
    """Adds normal noise in place.

    All channels read one pool of draws, each from its own place: 17 times fewer draws, and no
    decoder compares one channel with another cell by cell.
    """
    if deviation <= 0:
        return
    count, height, width = field.shape
    slack = 32 * width
    pool = rng.standard_normal(height * width + slack).astype(np.float32) * np.float32(deviation)
    for k, start in enumerate(rng.integers(slack, size=count).tolist()):
        field[k] += pool[start : start + height * width].reshape(height, width)


def _maxima_of_five(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maximum of each five neighbours along the last axis, which shrinks by four."""
    pairs = np.maximum(field[..., :-1], field[..., 1:])
    fours = np.maximum(pairs[..., :-2], pairs[..., 2:])
    return np.asarray(np.maximum(fours[..., :-1], field[..., 4:]))
