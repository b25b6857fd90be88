"""Simulates the queue of a network that takes a fixed time: with cameras, and Poisson arrivals."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

# Draws of the cameras' phases, and periods of each; the first ones fill the queue and do not count.
_DRAWS = 200
_PERIODS = 20
_WARM_UP_PERIODS = 5
# Waits at high utilization last, so it takes many frames to see their distribution.
_POISSON_FRAMES = 1_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """Cameras before a server that works on `parallel` frames at the same time."""

    cameras: int
    fps: float
    service_secs: float
    parallel: int = 1

    @property
    def utilization(self) -> float:
        return self.cameras * self.fps * self.service_secs / self.parallel


def delays(arrivals: Times, service_secs: float, parallel: int = 1) -> Times:
    """Return the times from arrival to result, for sorted arrivals that are served in order."""
    free_at = [0.0] * parallel
    ends = np.empty_like(arrivals)
    for i, arrival in enumerate(arrivals):
        ends[i] = max(arrival, free_at[0]) + service_secs
        heapq.heapreplace(free_at, ends[i])
    return ends - arrivals


def camera_delays(load: Load, rng: np.random.Generator) -> Times:
    """Return delays with periodic cameras, over many draws of their phases."""
    periods = np.arange(_PERIODS) / load.fps
    kept = _WARM_UP_PERIODS * load.cameras
    found = []
    for _ in range(_DRAWS):
        phases = rng.uniform(0, 1 / load.fps, load.cameras)
        arrivals = np.sort((phases[:, None] + periods).ravel())
        found.append(delays(arrivals, load.service_secs, load.parallel)[kept:])
    return np.concatenate(found)


def poisson_delays(load: Load, rng: np.random.Generator) -> Times:
    """Return delays with as many frames that arrive independently: the queue M/D/c."""
    arrivals = np.cumsum(rng.exponential(1 / (load.cameras * load.fps), _POISSON_FRAMES))
    return delays(arrivals, load.service_secs, load.parallel)[_POISSON_FRAMES // 10 :]


def max_cameras(fps: float, service_secs: float, parallel: int, *, p99_secs: float) -> int:
    """Return how many cameras have 99 % of their results within a time; 0 if not even one."""
    high = int(parallel / (fps * service_secs)) + 1
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        load = Load(middle, fps, service_secs, parallel)
        found = camera_delays(load, np.random.default_rng(middle))
        if np.quantile(found, 0.99) <= p99_secs:
            low = middle
        else:
            high = middle
    return low
