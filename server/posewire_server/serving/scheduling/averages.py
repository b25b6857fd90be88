"""Averages over the recent past, which forget exponentially."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic

# The time constant: what happened this long ago counts 1/e of what happens now.
SPAN_SECS = 5.0


class MeanLevel:
    """The mean of a level over time, such as that of busy requests; zero at first."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._changed_at = clock()
        self._level = 0.0
        self._mean = 0.0

    def change(self, level: float) -> None:
        """Set the level from now on."""
        now = self._clock()
        self._mean = self._mean_at(now)
        self._level, self._changed_at = level, now

    @property
    def mean(self) -> float:
        return self._mean_at(self._clock())

    def _mean_at(self, now: float) -> float:
        past = math.exp((self._changed_at - now) / SPAN_SECS)
        return self._level + (self._mean - self._level) * past


class MeanRate:
    """The number of events in a second."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counted_at = clock()
        self._rate = 0.0

    def count(self) -> None:
        """Count an event."""
        now = self._clock()
        self._rate = self._rate_at(now) + 1 / SPAN_SECS
        self._counted_at = now

    @property
    def per_sec(self) -> float:
        return self._rate_at(self._clock())

    def _rate_at(self, now: float) -> float:
        return self._rate * math.exp((self._counted_at - now) / SPAN_SECS)


class Utilization:
    """The mean of the frames that the network runs or that wait for it, over its capacity.

    It is 1 while all requests are busy, more while frames wait, and 2 if as many wait. Longer
    queues do not count for more: balancers would send such a server nothing until long after its
    queue is empty, and the others too much. Any number of threads may use it.
    """

    def __init__(self, capacity: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._frames = MeanLevel(clock=clock)
        self._at_network = self._waiting = 0

    @property
    def mean(self) -> float:
        with self._lock:
            return self._frames.mean / self._capacity

    def set_at_network(self, frames: int) -> None:
        """Set how many frames the network runs or that are ready for it."""
        with self._lock:
            self._at_network = frames
            self._update()

    def set_waiting(self, frames: int) -> None:
        """Set how many other frames wait."""
        if frames == self._waiting:
            return
        with self._lock:
            self._waiting = frames
            self._update()

    def _update(self) -> None:
        self._frames.change(min(self._at_network + self._waiting, 2 * self._capacity))
