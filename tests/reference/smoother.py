"""The One-Euro filter again, in plain NumPy, for a clock that never steps back."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin, SmootherOptions

Floats = NDArray[np.float64]


class Smoother:
    """What `posewire_decoder.Smoother` does: a filter for each keypoint of each track."""

    def __init__(self, options: SmootherOptions) -> None:
        self._options = options
        # By track id and keypoint: place, velocity, time.
        self._filters: dict[tuple[int, int], tuple[Floats, Floats, float]] = {}

    def update(
        self,
        secs: float,
        keypoints: NDArray[np.float32],
        origins: NDArray[np.uint8],
        track_ids: NDArray[np.uint32],
    ) -> NDArray[np.float32]:
        smoothed = keypoints.astype(np.float64)
        for pose, track in enumerate(track_ids.tolist()):
            present = origins[pose] != Origin.ABSENT
            if not track or not present.any():
                continue
            area = float(np.prod(np.ptp(smoothed[pose, present], axis=0)))
            scale = math.sqrt(max(10.0, area))
            for keypoint in np.flatnonzero(present).tolist():
                place = smoothed[pose, keypoint]
                filtered = self._filter(secs, (track, keypoint), place, scale)
                smoothed[pose, keypoint] = filtered
        return smoothed.astype(np.float32)

    def _filter(self, secs: float, key: tuple[int, int], place: Floats, scale: float) -> Floats:
        before, velocity, then = self._filters.get(key, (place, np.zeros(2), -math.inf))
        if secs - then > self._options.max_gap_secs:
            self._filters[key] = (place.copy(), np.zeros(2), secs)
            return place
        step = max(secs - then, 1e-3)
        share = _gain(step, self._options.speed_cutoff_hz)
        velocity = velocity + share * ((place - before) / (scale * step) - velocity)
        speed = math.hypot(*velocity.tolist())
        cutoff = self._options.min_cutoff_hz + self._options.cutoff_per_speed * speed
        after = before + _gain(step, cutoff) * (place - before)
        self._filters[key] = (after, velocity, secs)
        return after


def _gain(step_secs: float, cutoff_hz: float) -> float:
    steps = 2 * math.pi * cutoff_hz * step_secs
    return steps / (steps + 1)
