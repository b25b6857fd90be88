"""A clock that goes only when a test advances it."""

from __future__ import annotations


class FakeClock:
    """Call it for the time in seconds, like time.monotonic."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def advance(self, secs: float) -> None:
        self.now += secs
