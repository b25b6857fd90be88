"""The tracker again, in plain NumPy: all pairs at once, and scipy's assignment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posewire_decoder import Origin, TrackerOptions

Floats = NDArray[np.float64]


@dataclass(eq=False)
class _Figures:
    """Poses of one frame."""

    places: Floats  # (N, K, 2)
    weights: Floats  # (N, K)
    low: Floats  # (N, 2)
    high: Floats  # (N, 2)
    scales: Floats  # (N,)
    scores: Floats  # (N,)
    colours: Floats | None  # (N, R, 4)


@dataclass(eq=False)
class _Track:
    places: Floats  # (K, 2)
    known: NDArray[np.bool_]
    scale: float
    secs: float
    limb_velocity: Floats  # (K, 2)
    colours: Floats | None
    id: int = 0
    hits: int = 1
    body_velocity: Floats = field(default_factory=lambda: np.zeros(2))
    is_moving: bool = False

    def predict(self, secs: float) -> Floats:
        age = secs - self.secs
        body = self.body_velocity * (1 - math.exp(-age))
        return self.places + body + self.limb_velocity * 0.1 * (1 - math.exp(-age / 0.1))


class Tracker:
    """What `posewire_decoder.Tracker` does, for a clock that never steps back."""

    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        sigmas = np.maximum(options.oks_sigmas, 0.06)
        self._spreads = 2 * np.square(2 * sigmas * 2.5)
        self._tracks: list[_Track] = []
        self._next_id = 1
        self.margin = math.inf
        """How near any decision was to another one."""

    def update(
        self,
        secs: float,
        keypoints: NDArray[np.float32],
        keypoint_scores: NDArray[np.float32],
        origins: NDArray[np.uint8],
        scores: NDArray[np.float32],
        colours: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint32]:
        options = self._options
        figures = _figures(keypoints, keypoint_scores, origins, scores, colours)
        self._tracks = [
            track
            for track in self._tracks
            if secs - track.secs <= (options.max_lost_secs if track.id else 0.3)
        ]
        predictions = [track.predict(secs) for track in self._tracks]
        track_of: dict[int, _Track] = {}
        for track, prediction, pose in self._match(secs, figures, predictions):
            self._follow(track, prediction, secs, figures, pose)
            track_of[pose] = track
        for pose in sorted(track_of):
            self._confirm(track_of[pose], float(figures.scores[pose]))
        self._begin(secs, figures, track_of)
        ids = [track_of[pose].id if pose in track_of else 0 for pose in range(len(scores))]
        if len(self._tracks) > options.max_tracks:
            self._tracks.sort(key=lambda track: -track.secs)  # stable
            del self._tracks[options.max_tracks :]
        return np.array(ids, np.uint32)

    def _match(
        self, secs: float, figures: _Figures, predictions: list[Floats]
    ) -> list[tuple[_Track, Floats, int]]:
        options = self._options
        pairs: list[tuple[int, int]] = []
        high = figures.scores >= options.high_score
        low = (figures.scores >= options.low_score) & ~high
        ages = np.array([secs - track.secs for track in self._tracks])
        confirmed = np.array([track.id > 0 for track in self._tracks], bool)
        gates = np.where(ages < 0.3, 0.25, 0.15)
        for tracks, poses, gate in (
            (confirmed, high, gates),
            (confirmed & (ages < 0.5), low, np.full(len(ages), 0.3)),
            (~confirmed, high, gates),
        ):
            rows = [i for i in np.flatnonzero(tracks).tolist() if i not in {t for t, _ in pairs}]
            columns = [j for j in np.flatnonzero(poses).tolist() if j not in {p for _, p in pairs}]
            if rows and columns:
                pairs += self._stage(figures, predictions, rows, columns, gate, secs)
        return [(self._tracks[i], predictions[i], j) for i, j in pairs]

    def _stage(
        self,
        figures: _Figures,
        predictions: list[Floats],
        rows: list[int],
        columns: list[int],
        gates: Floats,
        secs: float,
    ) -> list[tuple[int, int]]:
        gain = np.zeros((len(rows), len(columns)))
        for row, i in enumerate(rows):
            track = self._tracks[i]
            for column, j in enumerate(columns):
                scale = max(track.scale, (track.scale + figures.scales[j]) / 2)
                scale *= 1 + 2 * (secs - track.secs)
                motion = self._oks(predictions[i], track.known, figures, j, scale)
                weight = self._options.colour_weight
                both = motion * (1 - weight + weight * _likeness(track, figures, j))
                self.margin = min(self.margin, abs(motion - gates[i]), abs(both - gates[i]))
                gain[row, column] = both if motion >= gates[i] and both >= gates[i] else 0
        matched = zip(*linear_sum_assignment(-gain), strict=True)
        return [(rows[r], columns[c]) for r, c in matched if gain[r, c] > 0]

    def _oks(
        self, places: Floats, known: NDArray[np.bool_], figures: _Figures, pose: int, scale: float
    ) -> float:
        weights = figures.weights[pose]
        if not weights.any():
            return 0.0
        squares = np.square(figures.places[pose] - places).sum(axis=1)
        terms = weights * known * np.exp(-squares / (self._spreads * scale * scale))
        return float(terms.sum() / weights.sum())

    def _follow(
        self, track: _Track, prediction: Floats, secs: float, figures: _Figures, pose: int
    ) -> None:
        step = max(secs - track.secs, 0.01)
        seen = figures.weights[pose] > 0
        both = seen & track.known
        moved = figures.places[pose] - track.places
        if both.any():
            body = np.median(moved[both], axis=0)
            share = 1 - math.exp(-step / 0.15) if track.is_moving else 1.0
            track.body_velocity = track.body_velocity + share * (body / step - track.body_velocity)
            track.is_moving = True
            limbs = np.where(both[:, None], (moved - body) / step, 0)
            track.limb_velocity = (track.limb_velocity + limbs) / 2
        track.places = np.where(seen[:, None], figures.places[pose], prediction)
        track.known = track.known | seen
        growth = float(figures.scales[pose]) - track.scale
        track.scale += growth * (1 - math.exp(-step / 0.3) if growth < 0 else 0.5)
        track.secs = secs
        track.hits += 1
        if figures.colours is not None and (track.colours is None or self._is_apart(figures, pose)):
            track.colours = _blend(track.colours, figures.colours[pose], 1 - math.exp(-step))

    def _is_apart(self, figures: _Figures, pose: int) -> bool:
        for other in np.flatnonzero(figures.scores >= self._options.low_score):
            sides = np.minimum(figures.high[pose], figures.high[other]) - np.maximum(
                figures.low[pose], figures.low[other]
            )
            covered = float(np.prod(np.maximum(sides, 0)))
            if other != pose and covered > 0.1 * figures.scales[pose] ** 2:
                return False
        return True

    def _begin(self, secs: float, figures: _Figures, track_of: dict[int, _Track]) -> None:
        for pose, score in enumerate(figures.scores.tolist()):
            seen = figures.weights[pose] > 0
            if pose in track_of or score < self._options.new_score or not seen.any():
                continue
            similar = [0.0]
            for other in track_of:
                scale = max(figures.scales[other], figures.scales[[other, pose]].mean())
                known = figures.weights[other] > 0
                similar.append(self._oks(figures.places[other], known, figures, pose, scale))
            self.margin = min(self.margin, min(abs(each - 0.3) for each in similar))
            if max(similar) > 0.3:
                continue
            track = _Track(
                places=figures.places[pose],
                known=seen,
                scale=float(figures.scales[pose]),
                secs=secs,
                limb_velocity=np.zeros_like(figures.places[pose]),
                colours=None if figures.colours is None else figures.colours[pose],
            )
            self._tracks.append(track)
            self._confirm(track, score)
            track_of[pose] = track

    def _confirm(self, track: _Track, score: float) -> None:
        options = self._options
        if not track.id and (track.hits >= options.confirm_hits or score >= options.sure_score):
            track.id = self._next_id
            self._next_id += 1


def _figures(
    keypoints: NDArray[np.float32],
    keypoint_scores: NDArray[np.float32],
    origins: NDArray[np.uint8],
    scores: NDArray[np.float32],
    colours: NDArray[np.float32] | None,
) -> _Figures:
    places = keypoints.astype(np.float64)
    present = origins != Origin.ABSENT
    weights = np.clip(keypoint_scores.astype(np.float64), 0.02, 1)
    weights = np.where(origins == Origin.DETECTED, weights, 0.3 * weights) * present
    low = np.where(present[..., None], places, np.inf).min(axis=1, initial=np.inf)
    high = np.where(present[..., None], places, -np.inf).max(axis=1, initial=-np.inf)
    areas = np.prod(np.where(np.isfinite(high), high, 0) - np.where(np.isfinite(low), low, 0), 1)
    return _Figures(
        places=np.where(present[..., None], places, 0),
        weights=weights,
        low=low,
        high=high,
        scales=np.sqrt(np.maximum(10.0, areas)),
        scores=scores.astype(np.float64),
        colours=None if colours is None else colours.astype(np.float64),
    )


def _likeness(track: _Track, figures: _Figures, pose: int) -> float:
    if track.colours is None or figures.colours is None:
        return 1.0
    colours = figures.colours[pose]
    shared = (track.colours[:, 3] > 0) & (colours[:, 3] > 0)
    if shared.sum() < 2:
        return 1.0
    gaps = np.linalg.norm(track.colours[shared, :3] - colours[shared, :3], axis=1)
    return math.exp(-(np.minimum(gaps, 80).mean() ** 2) / (2 * 30.0**2))


def _blend(kept: Floats | None, found: Floats, share: float) -> Floats:
    if kept is None:
        return found
    blended: Floats = kept.copy()
    for region in np.flatnonzero(found[:, 3] > 0):
        part = share if kept[region, 3] > 0 else 1.0
        blended[region, :3] += part * (found[region, :3] - kept[region, :3])
        blended[region, 3] = max(kept[region, 3], found[region, 3])
    return blended
