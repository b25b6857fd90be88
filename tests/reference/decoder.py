"""The decoders again, in plain NumPy: slow, readable, and the oracle for the compiled ones.

With `ReferenceOptions` it is the accuracy-checker decoder of Open Model Zoo, with `DecoderOptions`
ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posewire_decoder import Origin, Poses, ReferenceOptions
from tests.reference.modes import Options

NMS_REACH = 2
NEAR = 0.5
LEAST_REACH = 30
REFERENCE_PADDING = 1e10
OVERFLOW = 1e30
TAG_SPREAD = np.float32(0.4)
SPATIAL_SLACK = np.float32(60)
OWN_REACH = np.float32(20)
SCORE_WEIGHT = np.float32(0.6)
NEW_POSE_COST = np.float32(0.5)

Floats = NDArray[np.float32]


class Peak(NamedTuple):
    """A local maximum of heat, its score, and the tag (L,) of its cell."""

    x: int
    y: int
    score: np.float32
    tag: Floats


@dataclass
class Group:
    """A pose under construction: its peaks by keypoint, their mean position, tag and score."""

    peaks: dict[int, Peak]
    centre: NDArray[np.float64]
    tag: Floats
    score: np.float32

    def join(self, keypoint: int, peak: Peak, options: Options) -> None:
        n = len(self.peaks)
        self.centre = (self.centre * n + [peak.x, peak.y]) / (n + 1)
        if isinstance(options, ReferenceOptions):
            self.tag = (self.tag * np.float32(n) + peak.tag) / np.float32(n + 1)
        else:
            self.tag = self.tag + (peak.tag - self.tag) / np.float32(n + 1)
        self.score += (score_of(peak.score, options) - self.score) / np.float32(n + 1)
        self.peaks[keypoint] = peak


class Person(NamedTuple):
    """One pose of the answer."""

    keypoints: Floats
    keypoint_scores: Floats
    origins: NDArray[np.uint8]
    score: np.float32
    tag: Floats


def decode(
    heatmaps: Floats,
    tags: Floats,
    options: Options,
    *,
    max_poses: int | None = None,
    min_pose_score: float = 0.0,
    min_keypoint_score: float = 0.0,
    refine: bool = True,
) -> Poses:
    """What the compiled decoder returns; `heatmaps` (K, H, W), `tags` (K, H, W, L)."""
    with np.errstate(invalid="ignore", over="ignore"):
        peaks = [find_peaks(*plane, options) for plane in zip(heatmaps, tags, strict=True)]
        groups = group(peaks, options)
        scores = np.array([pose_score(each, len(heatmaps), options) for each in groups], np.float32)
        kept = select(scores, min_pose_score, options)
        people = [
            place(groups[i], scores[i], heatmaps, tags, options, refine, min_keypoint_score)
            for i in kept
        ]
    shown = [person for person in people if (person.origins != Origin.ABSENT).any()]
    best = np.argsort([-person.score for person in shown], kind="stable")[:max_poses]
    shown = [shown[i] for i in sorted(best.tolist())]
    n, k, length = len(shown), len(heatmaps), tags.shape[3]
    return Poses(
        keypoints=np.array([person.keypoints for person in shown], np.float32).reshape(n, k, 2),
        keypoint_scores=np.array([p.keypoint_scores for p in shown], np.float32).reshape(n, k),
        origins=np.array([person.origins for person in shown], np.uint8).reshape(n, k),
        scores=np.array([person.score for person in shown], np.float32),
        tags=np.array([person.tag for person in shown], np.float32).reshape(n, length),
    )


def heat_of(plane: Floats, options: Options) -> Floats:
    """Heat (H, W), never negative; signed maps hold the negated heat of suppressed cells."""
    heat = np.abs(plane) if options.nms == "graph" else np.maximum(plane, 0)
    return np.where(np.isfinite(plane), heat, np.float32(0))


def find_peaks(plane: Floats, tags: Floats, options: Options) -> list[Peak]:
    """Maxima above the detection threshold that have a tag, warmest first, then raster order."""
    standing = np.where((plane > 0) & np.isfinite(plane), plane, np.float32(0))
    tagged = np.asarray(np.isfinite(tags).all(axis=2))
    found = []
    for y, x in np.argwhere((standing.astype(np.float64) > options.detection_threshold) & tagged):
        score = standing[y, x]
        rows = slice(max(y - NMS_REACH, 0), y + NMS_REACH + 1)
        columns = slice(max(x - NMS_REACH, 0), x + NMS_REACH + 1)
        if options.nms == "decoder" and heat_of(plane, options)[rows, columns].max() > score:
            continue
        equal = np.argwhere(np.equal(standing[rows, columns], score) & tagged[rows, columns])
        first = tuple(equal[0] + [rows.start, columns.start])
        if first != (y, x) and not isinstance(options, ReferenceOptions):
            continue
        found.append(Peak(int(x), int(y), score, tags[y, x]))
    found.sort(key=lambda peak: (-peak.score, peak.y, peak.x))
    return found[: options.max_peaks]


def group(peaks: list[list[Peak]], options: Options) -> list[Group]:
    """Poses in the order in which they were opened."""
    groups: list[Group] = []
    for keypoint in options.grouping_order:
        candidates = peaks[keypoint]
        if not candidates:
            continue
        distances = tag_distances(candidates, groups)
        pose_of = assign(candidates, groups, distances, options) if groups else {}
        for i, peak in enumerate(candidates):
            if i in pose_of:
                groups[pose_of[i]].join(keypoint, peak, options)
            else:
                centre = np.array([peak.x, peak.y], np.float64)
                score = score_of(peak.score, options)
                groups.append(Group({keypoint: peak}, centre, peak.tag.copy(), score))
    return groups


def tag_distances(peaks: list[Peak], groups: list[Group]) -> Floats:
    """Euclidean distance (P, N) of each peak's tag from each pose's."""
    difference = np.array([[peak.tag - each.tag for each in groups] for peak in peaks], np.float32)
    if difference.shape[-1] == 1:
        return np.abs(difference[..., 0])
    return np.sqrt(sum_in_order(difference * difference))


def sum_in_order(terms: Floats) -> Floats:
    """Sum over the last axis, first to last: NumPy's own order depends on the length."""
    total = np.zeros(terms.shape[:-1], np.float32)
    for i in range(terms.shape[-1]):
        total += terms[..., i]
    return total


def assign(
    peaks: list[Peak], groups: list[Group], distances: Floats, options: Options
) -> dict[int, int]:
    """The pose of each peak that joins one, in the cheapest assignment."""
    positions = np.array([[peak.x, peak.y] for peak in peaks], np.float64)
    offsets = positions[:, None] - np.array([each.centre for each in groups])[None]
    squared = offsets[..., 0] ** 2 + offsets[..., 1] ** 2
    scores = np.array([[peak.score] for peak in peaks], np.float32)
    near = distances.astype(np.float64) < options.tag_threshold
    if isinstance(options, ReferenceOptions):
        cost = reference_cost(distances, near, np.sqrt(squared), scores)
        surplus = max(len(peaks) - len(groups), 0)
        cost = np.pad(cost, ((0, 0), (0, surplus)), constant_values=REFERENCE_PADDING)
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return {i: j for i, j in pairs if j < len(groups) and near[i, j]}
    nearest = np.sqrt(squared.min(axis=0)).astype(np.float32)
    nearest = np.minimum(nearest, np.array([longer_side(each) for each in groups]) + OWN_REACH)
    apart = np.sqrt(squared.astype(np.float32))
    spread = np.sqrt(distances * distances + TAG_SPREAD * TAG_SPREAD)
    nearness = (apart + SPATIAL_SLACK) / (nearest + SPATIAL_SLACK)
    shared_score = np.minimum(scores, [each.score for each in groups])
    cost = spread * nearness - SCORE_WEIGHT * shared_score
    new_pose = NEW_POSE_COST * np.float32(options.tag_threshold)
    return cheapest(np.where(near & (cost < new_pose), cost, np.inf), float(new_pose))


def cheapest(cost: NDArray[np.float64], new_pose: float) -> dict[int, int]:
    """Assigns peaks to poses at the given cost (P, N), infinite where they cannot join."""
    joinable = np.isfinite(cost)
    first_choice = cost.argmin(axis=1)
    has_choice = joinable.any(axis=1)
    contested = np.bincount(first_choice[has_choice], minlength=cost.shape[1]) > 1
    while True:
        is_rival = has_choice & contested[first_choice]
        wider = contested | joinable[is_rival].any(axis=0)
        if (wider == contested).all():
            break
        contested = wider
    pose_of = {int(i): int(first_choice[i]) for i in np.flatnonzero(has_choice & ~is_rival)}
    rivals, wanted = np.flatnonzero(is_rival), np.flatnonzero(contested)
    contest = np.where(joinable, cost, new_pose)[np.ix_(rivals, wanted)]
    contest = np.pad(contest, ((0, 0), (0, len(rivals))), constant_values=new_pose)
    for row, column in zip(*linear_sum_assignment(contest), strict=True):
        if column < len(wanted) and joinable[rivals[row], wanted[column]]:
            pose_of[int(rivals[row])] = int(wanted[column])
    return pose_of


def reference_cost(
    distances: Floats, near: NDArray[np.bool_], apart: NDArray[Any], scores: Floats
) -> NDArray[np.float64]:
    nearness = apart / (apart.min(axis=0) + 1e-10)
    weighted = np.where(near, distances * nearness, distances).astype(np.float32)
    rounded = np.round(weighted) * np.float32(100)
    return np.where(np.isfinite(rounded), rounded - scores.astype(np.float64), OVERFLOW)


def pose_score(each: Group, keypoints: int, options: Options) -> float:
    """Mean over all keypoints, missing ones counting 0."""
    found = (each.peaks[k].score for k in sorted(each.peaks))
    return sum(float(score_of(score, options)) for score in found) / keypoints


def score_of(heat: np.float32, options: Options) -> np.float32:
    return heat if isinstance(options, ReferenceOptions) else min(heat, np.float32(1))


def select(scores: Floats, min_pose_score: float, options: Options) -> list[int]:
    """Indices of the poses that score enough, in the order to report them."""
    ranked = np.argsort(-scores, kind="stable").tolist()
    kept = [i for i in ranked if float(scores[i]) >= min_pose_score]
    return sorted(kept) if isinstance(options, ReferenceOptions) else kept


def place(
    each: Group,
    pose_score: np.float32,
    heatmaps: Floats,
    tags: Floats,
    options: Options,
    refine: bool,
    min_keypoint_score: float,
) -> Person:
    """One pose's keypoints, filled and adjusted."""
    k = len(heatmaps)
    delta = np.array(options.delta, np.float32)
    xy = np.tile(
        delta if isinstance(options, ReferenceOptions) else np.zeros(2, np.float32), (k, 1)
    )
    scores = np.zeros(k, np.float32)
    origins = np.full(k, Origin.ABSENT, np.uint8)
    for i in range(k):
        heat = heat_of(heatmaps[i], options)
        if i in each.peaks:
            x, y = each.peaks[i].x, each.peaks[i].y
            origins[i] = Origin.DETECTED
        else:
            cell = best_cell(heat, tags[i], each, options) if refine else None
            if cell is None:
                continue
            x, y = cell
            origins[i] = Origin.INFERRED
        scores[i] = score_of(heat[y, x], options)
        xy[i] = np.array([x, y], np.float32) + adjust(heat, x, y, options)
        # The reference leaves delta out where refine filled a keypoint.
        if origins[i] == Origin.DETECTED or not isinstance(options, ReferenceOptions):
            xy[i] += delta
    weak = scores.astype(np.float64) < min_keypoint_score
    xy[weak], scores[weak], origins[weak] = 0, 0, Origin.ABSENT
    return Person(xy, scores, origins, pose_score, each.tag)


def best_cell(heat: Floats, tags: Floats, each: Group, options: Options) -> tuple[int, int] | None:
    """Where refine puts a keypoint without a peak: (x, y)."""
    difference = tags - each.tag
    distance = np.sqrt(sum_in_order(difference**2))
    if tags.shape[2] == 1:
        distance = np.abs(difference[..., 0])
    distance = np.where(np.isfinite(distance), distance, np.float32(np.inf))
    if isinstance(options, ReferenceOptions):
        cost = np.trunc(distance + np.float32(NEAR)) - heat
        return first_cheapest(cost, (heat > 0) & np.isfinite(cost))
    outside, reach = around(each, heat.shape)
    value = heat * (np.float32(1) - outside / reach)
    eligible = (outside < reach) & (heat.astype(np.float64) > options.refine_threshold)
    for gate in (min(NEAR, options.tag_threshold), options.tag_threshold):
        within = eligible & (distance.astype(np.float64) < gate)
        if within.any():
            return first_cheapest(np.where(within, -value, np.float32(np.inf)), within)
    return None


def around(each: Group, shape: tuple[int, ...]) -> tuple[Floats, np.float32]:
    """How far outside the box of the pose's peaks each cell (H, W) lies, and how far one may."""
    first, last = box(each)
    cells = np.moveaxis(np.indices(shape), 0, -1)
    outside = np.maximum(np.maximum(first - cells, cells - last), 0).max(axis=-1)
    reach = max((last - first + 1).max() // 2, LEAST_REACH)
    return outside.astype(np.float32), np.float32(reach)


def box(each: Group) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest y, x of a pose's peaks."""
    places = np.array([[peak.y, peak.x] for peak in each.peaks.values()])
    return places.min(axis=0), places.max(axis=0)


def longer_side(each: Group) -> np.float32:
    first, last = box(each)
    return np.float32((last - first).max())


def first_cheapest(cost: Floats, eligible: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The first cell of least cost, if it is eligible."""
    y, x = divmod(int(cost.argmin()), cost.shape[1])
    return (x, y) if eligible[y, x] else None


def adjust(heat: Floats, x: int, y: int, options: Options) -> Floats:
    """Sub-cell offset (x, y)."""
    first = 2 if isinstance(options, ReferenceOptions) else 1
    x_inside = first <= x <= heat.shape[1] - 2
    y_inside = first <= y <= heat.shape[0] - 2
    if isinstance(options, ReferenceOptions) and not (x_inside and y_inside):
        return np.zeros(2, np.float32)
    by_quarter = isinstance(options, ReferenceOptions) or options.adjust == "quarter"
    offset = quarter if by_quarter else parabola
    along_x = offset(*heat[y, x - 1 : x + 2]) if x_inside else 0.0
    along_y = offset(*heat[y - 1 : y + 2, x]) if y_inside else 0.0
    return np.array([along_x, along_y], np.float32)


def quarter(before: np.float32, _: np.float32, after: np.float32) -> float:
    return 0.25 * float(np.sign(after - before))


def parabola(before: np.float32, here: np.float32, after: np.float32) -> float:
    curvature = before - np.float32(2) * here + after
    if not curvature < 0:
        return quarter(before, here, after)
    return float(np.clip(np.float32(0.5) * (before - after) / curvature, -0.5, 0.5))
