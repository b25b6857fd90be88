"""How long a model takes for a run of its network, measured while it is busy."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import monotonic

# How many measurements there are before the first mean, which is their median.
_FIRST = 8
# About how many of the latest runs the mean covers.
_SPAN = 16
# How many times the mean a measurement counts at most, so that a pause of the machine does not look
# like a slow model. With this many frames that end at the same moment the mean becomes too low.
_LARGEST_RATIO = 8
# The mean that this ratio assumes at least, so that it can grow from zero.
_SHORTEST_SECS = 1e-3


class ServiceTime:
    """The mean time between the ends of frames while the model has as many as it can use.

    This is the time by which a waiting frame delays those behind it, however many frames the model
    runs at the same time; for a frame that the network runs twice, that of one run. The mean
    forgets exponentially.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._first: list[float] = []
        self._mean_secs = 0.0
        # When the previous frame ended, if the model has been full since then.
        self._measuring_from: float | None = None

    @property
    def secs(self) -> float:
        """The mean; 0 before there are enough measurements."""
        return self._mean_secs

    def finish(self, *, is_full: bool, network_runs: int = 1) -> None:
        """Count a frame that has ended; `is_full`: whether others wait nevertheless."""
        now = self._clock()
        if self._measuring_from is not None:
            for _ in range(network_runs):
                self._measure((now - self._measuring_from) / network_runs)
        self._measuring_from = now if is_full else None

    def _measure(self, secs: float) -> None:
        if len(self._first) < _FIRST:
            self._first.append(secs)
            if len(self._first) == _FIRST:
                self._mean_secs = median(self._first)
            return
        secs = min(secs, _LARGEST_RATIO * max(self._mean_secs, _SHORTEST_SECS))
        self._mean_secs += (secs - self._mean_secs) / _SPAN
