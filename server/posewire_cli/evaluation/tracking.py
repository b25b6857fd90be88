"""How well people are followed: HOTA, IDF1, MOTA and identity switches.

HOTA, with its parts DetA and AssA, is of Luiten et al. 2020, "HOTA: A Higher Order Metric for
Evaluating Multi-Object Tracking", averaged over the thresholds 0.05 to 0.95. IDF1 (Ristani et al.
2016) and MOTA (Bernardin and Stiefelhagen 2008) match at a similarity of 0.5. The similarity of
poses is OKS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import minimum_cost_assignment

Floats = NDArray[np.float64]
Ids = Sequence[int]

_THRESHOLDS = np.arange(1, 20) / 20
_MATCH_THRESHOLD = 0.5
_ROUNDING = np.finfo(np.float64).eps
# Added to the similarity of a pair that was matched in the previous frame: it stays matched.
_CONTINUITY = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFrame:
    """Who is in one frame and who was found.

    `true_ids` (T) and `found_ids` (F): each at most once. `similarity` (T, F): in [0, 1].
    """

    true_ids: Ids
    found_ids: Ids
    similarity: Floats


@dataclass(frozen=True, slots=True)
class TrackingAccuracy:
    """Shares from 0 to 1, but MOTA can be negative; `switches` counts changes of a person's id."""

    hota: float
    det_a: float
    ass_a: float
    idf1: float
    mota: float
    switches: int


def evaluate_tracks(clips: Iterable[Sequence[TrackedFrame]]) -> TrackingAccuracy:
    """Evaluate the tracks of one or more clips, each of which has ids of its own."""
    higher = _HigherOrder()
    identity = _Identity()
    clear = _Clear()
    for clip in clips:
        numbered = _Numbered.of(clip)
        higher.add(numbered)
        identity.add(numbered)
        clear.add(numbered)
    det_a, ass_a = higher.det_a(), higher.ass_a()
    return TrackingAccuracy(
        hota=float(np.sqrt(det_a * ass_a).mean()),
        det_a=float(det_a.mean()),
        ass_a=float(ass_a.mean()),
        idf1=identity.f1(),
        mota=clear.mota(),
        switches=clear.switches,
    )


def oks(
    true_keypoints: Floats,
    is_labelled: NDArray[np.bool_],
    areas: Floats,
    found_keypoints: NDArray[np.floating[Any]],
    sigmas: Sequence[float],
) -> Floats:
    """Return COCO's object keypoint similarity (T, F) of T true and F found poses.

    `true_keypoints` (T, K, 2), `found_keypoints` (F, K, 2) and `areas` (T,) in pixels of the frame;
    `is_labelled` (T, K): the keypoints that count. It is 0 for a person without any.
    """
    offsets = true_keypoints[:, None] - found_keypoints[None].astype(np.float64)
    variances = 2 * np.maximum(areas, 1)[:, None] * np.square(2 * np.array(sigmas))
    terms = np.exp(-np.square(offsets).sum(axis=3) / variances[:, None])
    terms *= is_labelled[:, None]
    similarity: Floats = terms.sum(axis=2) / np.maximum(is_labelled.sum(axis=1), 1)[:, None]
    return similarity


@dataclass(frozen=True, slots=True, eq=False)
class _Numbered:
    """A clip with ids numbered from 0, so that they index arrays."""

    frames: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats]]
    true_count: int
    found_count: int

    @classmethod
    def of(cls, clip: Sequence[TrackedFrame]) -> _Numbered:
        true_number = _numbers(frame.true_ids for frame in clip)
        found_number = _numbers(frame.found_ids for frame in clip)
        frames = [
            (
                np.array([true_number[each] for each in frame.true_ids], np.intp),
                np.array([found_number[each] for each in frame.found_ids], np.intp),
                np.asarray(frame.similarity, np.float64),
            )
            for frame in clip
        ]
        return cls(frames, len(true_number), len(found_number))

    def lengths(self) -> tuple[Floats, Floats]:
        """In how many frames each true and each found id occurs."""
        true, found = np.zeros(self.true_count), np.zeros(self.found_count)
        for true_ids, found_ids, _ in self.frames:
            true[true_ids] += 1
            found[found_ids] += 1
        return true, found


def _numbers(frames: Iterable[Ids]) -> dict[int, int]:
    distinct = sorted({each for ids in frames for each in ids})
    return {each: number for number, each in enumerate(distinct)}


class _HigherOrder:
    """Detections, and their associations weighted by detections, at each threshold."""

    def __init__(self) -> None:
        self._matched = np.zeros(len(_THRESHOLDS))
        self._associated = np.zeros(len(_THRESHOLDS))
        self._true = 0
        self._found = 0

    def add(self, clip: _Numbered) -> None:
        true_lengths, found_lengths = clip.lengths()
        ends = true_lengths[:, None] + found_lengths
        alignment = _alignment(clip, ends)
        matches = np.zeros((len(_THRESHOLDS), *ends.shape))
        for true_ids, found_ids, similarity in clip.frames:
            self._true += len(true_ids)
            self._found += len(found_ids)
            rows, columns = _assign(alignment[np.ix_(true_ids, found_ids)] * similarity)
            is_match = similarity[rows, columns] >= _THRESHOLDS[:, None] - _ROUNDING
            matches[:, true_ids[rows], found_ids[columns]] += is_match
        self._matched += matches.sum(axis=(1, 2))
        self._associated += (matches * matches / np.maximum(1, ends - matches)).sum(axis=(1, 2))

    def det_a(self) -> Floats:
        return self._matched / np.maximum(1, self._true + self._found - self._matched)

    def ass_a(self) -> Floats:
        return self._associated / np.maximum(1, self._matched)


def _alignment(clip: _Numbered, ends: Floats) -> Floats:
    """How well a whole track fits a whole person: decides between matches in a frame."""
    shared = np.zeros_like(ends)
    for true_ids, found_ids, similarity in clip.frames:
        either = similarity.sum(axis=0) + similarity.sum(axis=1)[:, None] - similarity
        shares = np.divide(
            similarity, either, out=np.zeros_like(similarity), where=either > _ROUNDING
        )
        shared[np.ix_(true_ids, found_ids)] += shares
    aligned: Floats = shared / (ends - shared)
    return aligned


class _Identity:
    """One found id for each person over the whole clip."""

    def __init__(self) -> None:
        self._matched = 0.0
        self._total = 0.0

    def add(self, clip: _Numbered) -> None:
        together = np.zeros((clip.true_count, clip.found_count))
        for true_ids, found_ids, similarity in clip.frames:
            together[np.ix_(true_ids, found_ids)] += similarity >= _MATCH_THRESHOLD
        rows, columns = _assign(together)
        self._matched += float(together[rows, columns].sum())
        self._total += float(sum(lengths.sum() for lengths in clip.lengths()))

    def f1(self) -> float:
        return self._matched / max(1.0, self._total / 2)


class _Clear:
    """Frame by frame, matches of the previous frame first."""

    def __init__(self) -> None:
        self.switches = 0
        self._matched = 0
        self._true = 0
        self._found = 0

    def add(self, clip: _Numbered) -> None:
        last_id = np.full(clip.true_count, -1)
        previous = np.full(clip.true_count, -1)  # of the previous frame alone
        for true_ids, found_ids, similarity in clip.frames:
            self._true += len(true_ids)
            self._found += len(found_ids)
            if similarity.size == 0:
                continue
            kept = previous[true_ids][:, None] == found_ids
            gain = np.where(
                similarity >= _MATCH_THRESHOLD - _ROUNDING, kept * _CONTINUITY + similarity, 0
            )
            rows, columns = _assign(gain)
            is_match = gain[rows, columns] > 0
            people, ids = true_ids[rows[is_match]], found_ids[columns[is_match]]
            self.switches += int(((last_id[people] >= 0) & (last_id[people] != ids)).sum())
            self._matched += len(people)
            last_id[people] = ids
            previous[:] = -1
            previous[people] = ids

    def mota(self) -> float:
        false_positives = self._found - self._matched
        return (self._matched - false_positives - self.switches) / max(1, self._true)


def _assign(gain: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pairs with the greatest sum."""
    if gain.size == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    if gain.shape[0] > gain.shape[1]:
        columns, rows = _assign(gain.T)
        return rows, columns
    columns = minimum_cost_assignment(np.ascontiguousarray(-gain))
    return np.arange(len(gain)), columns
