"""The lines and keypoints of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client.drawing.colours import OUTLINE, Colour, edge_colour
from posewire_client.drawing.style import Floats, Image, Sizes, Style
from posewire_client.pose import Origin, Pose
from posewire_client.skeleton import Skeleton

_SHIFT = 4  # OpenCV takes coordinates in sixteenths of a pixel
_UNITS = 1 << _SHIFT
# Coordinates further off are drawn as if here, within what OpenCV's integers hold.
_FARTHEST = 1e5
_COARSE, _FINE = (
    np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for angles in (np.linspace(0, 2 * np.pi, corners, endpoint=False) for corners in (12, 20))
)
_RIM = 0.5  # what OpenCV's smoothing adds to each side of a shape, in pixels


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What to draw of N people with K keypoints and E edges.

    `points` (N, K, 2) are in frame space, `shown` (N, K) and `hollow` (N, K) say which are drawn
    and how, `radii` (N, K) and `widths` (N, E) are in pixels. `has_edge` (N, E): both ends of the
    edge are shown. `boxes` (N, 4) bound the shown keypoints within the image, `in_image` (N,) is
    whether there are any.
    """

    points: Floats
    shown: NDArray[np.bool_]
    hollow: NDArray[np.bool_]
    radii: Floats
    edges: NDArray[np.intp]
    has_edge: NDArray[np.bool_]
    widths: Floats
    sizes: Sizes
    boxes: Floats
    in_image: NDArray[np.bool_]


def measure_figures(
    poses: Sequence[Pose], skeleton: Skeleton, style: Style, image_size: tuple[int, int]
) -> Figures:
    """Choose what to draw of one person or more. `image_size`: (width, height)."""
    origins = np.stack([pose.origins for pose in poses])
    scores = np.stack([pose.keypoint_scores for pose in poses])
    shown = (origins != Origin.ABSENT) & (scores >= style.threshold)
    points = np.stack([pose.keypoints for pose in poses]).astype(np.float64)
    points = np.clip(points, -_FARTHEST, _FARTHEST)
    everything = _bounds(points, shown)
    extents = (everything[:, 2:] - everything[:, :2]).max(axis=1)
    sizes = Sizes.for_people(extents, max(image_size))
    edges = np.array(skeleton.edges, np.intp).reshape(-1, 2)
    firsts, seconds = edges[:, 0], edges[:, 1]
    has_edge = shown[:, firsts] & shown[:, seconds]
    lengths = np.hypot(*np.moveaxis(points[:, firsts] - points[:, seconds], 2, 0))
    inside = shown & ((points >= 0) & (points <= np.array(image_size) - 1)).all(axis=2)
    return Figures(
        points=points,
        shown=shown,
        hollow=origins == Origin.INFERRED,
        radii=_radii(sizes.point, np.where(has_edge, lengths, np.inf), edges, points.shape[1]),
        edges=edges,
        has_edge=has_edge,
        widths=_shrink(sizes.line[:, None], 0.25 * lengths),
        sizes=sizes,
        boxes=_bounds(points, inside),
        in_image=inside.any(axis=1),
    )


def draw_figures(image: Image, figures: Figures, colours: Sequence[Sequence[Colour]]) -> None:
    """Draw people, the first one last. `colours` (N, K) are those of the keypoints.

    A person's outlines come first, so that none crosses a coloured line of the same person.
    """
    outline = figures.sizes.outline[:, None]
    borders, lines = _quads(figures, figures.widths + 2 * outline), _quads(figures, figures.widths)
    rings, discs, cores = (
        _discs(figures, radii)
        for radii in (figures.radii + outline, figures.radii, 0.5 * figures.radii)
    )
    ends = figures.edges.tolist()
    for n in reversed(range(len(colours))):
        own = colours[n]
        edges = np.flatnonzero(figures.has_edge[n]).tolist()
        for e in edges:
            _fill(image, borders[n, e], OUTLINE)
        for e in edges:
            a, b = ends[e]
            _fill(image, lines[n, e], edge_colour(own[a], own[b]))
        for k in np.flatnonzero(figures.shown[n]).tolist():
            _fill(image, rings[n, k], OUTLINE)
            _fill(image, discs[n, k], own[k])
            if figures.hollow[n, k]:
                _fill(image, cores[n, k], OUTLINE)


def _bounds(points: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return boxes (N, 4) of the points (N, K, 2) that are chosen, zeros if none is."""
    low = np.where(chosen[..., None], points, np.inf).min(axis=1, initial=np.inf)
    high = np.where(chosen[..., None], points, -np.inf).max(axis=1, initial=-np.inf)
    boxes = np.concatenate([low, high], axis=1)
    return np.where(np.isfinite(boxes), boxes, 0.0)


def _radii(point: Floats, lengths: Floats, edges: NDArray[np.intp], keypoints: int) -> Floats:
    """Return radii (N, K). Keypoints that lie close together, those of the face, are smaller."""
    shortest = np.full((len(point), keypoints), np.inf)
    for e, ends in enumerate(edges.tolist()):
        for k in ends:
            shortest[:, k] = np.minimum(shortest[:, k], lengths[:, e])
    return _shrink(point[:, None], 0.4 * shortest)


def _shrink(wanted: Floats, limit: Floats) -> Floats:
    """Reduce sizes to a limit, but not by more than 40 percent and not below a pixel."""
    return np.clip(limit, np.maximum(0.6 * wanted, 1.0), wanted)


def _quads(figures: Figures, widths: Floats) -> NDArray[np.int32]:
    """Return the corners (N, E, 4, 2) of lines, in OpenCV's units."""
    starts, ends = (figures.points[:, figures.edges[:, i]] for i in (0, 1))
    along = ends - starts
    lengths = np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-6)
    scale = np.maximum(0.5 * widths - _RIM, 0.0) / lengths
    across: Floats = along[..., ::-1] * (-1, 1) * scale[..., None]
    corners = np.stack([starts + across, ends + across, ends - across, starts - across], axis=2)
    return np.rint(corners * _UNITS).astype(np.int32)


def _discs(figures: Figures, radii: Floats) -> NDArray[np.int32]:
    """Return the corners (N, K, C, 2) of discs, in OpenCV's units.

    OpenCV's own circles become diamonds if they are small.
    """
    circle = _COARSE if radii.max(initial=0) < 5 else _FINE
    rims = figures.points[:, :, None] + np.maximum(radii - _RIM, 0.0)[..., None, None] * circle
    corners: NDArray[np.int32] = np.rint(rims * _UNITS).astype(np.int32)
    return corners


def _fill(image: Image, corners: NDArray[np.int32], colour: Colour) -> None:
    cv2.fillConvexPoly(image, corners, colour, cv2.LINE_AA, _SHIFT)
