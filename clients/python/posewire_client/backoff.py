"""Retry delays, and when to stop retrying."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from posewire_client.errors import (
    InternalError,
    ResourceExhaustedError,
    StatusError,
    UnavailableError,
)

# From the contract: the comment of PoseService on retries.
INITIAL_DELAY_SECS = 0.2
MAX_DELAY_SECS = 10.0


class Backoff:
    """Exponential backoff with jitter over consecutive failures."""

    def __init__(self, attempts: int, *, draw: Callable[[], float] = random.random) -> None:
        if attempts < 1:
            raise ValueError(f"attempts is {attempts}; must be at least 1")
        self._attempts = attempts
        self._draw = draw
        self._failures = 0

    @property
    def is_fresh(self) -> bool:
        """Whether there was no failure since the start or the last reset."""
        return self._failures == 0

    def reset(self) -> None:
        """Record a success: the next delay is the initial one again."""
        self._failures = 0

    def next_delay(self, retry_after_secs: float | None = None) -> float | None:
        """Record a failure. Return the delay before the next attempt, or None if none is left."""
        self._failures += 1
        if self._failures >= self._attempts:
            return None
        longest = min(math.ldexp(INITIAL_DELAY_SECS, self._failures - 1), MAX_DELAY_SECS)
        return max(self._draw() * longest, retry_after_secs or 0.0)


class Attempts:
    """The attempts of one unary call, which share one deadline."""

    def __init__(
        self,
        backoff: Backoff,
        *,
        timeout_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < timeout_secs < math.inf:
            raise ValueError(f"timeout is {timeout_secs} s; must be positive and finite")
        self._backoff = backoff
        self._clock = clock
        self._deadline = clock() + timeout_secs

    def remaining_secs(self) -> float:
        """Return the timeout for the next attempt."""
        return max(self._deadline - self._clock(), 0.0)

    def delay_after(self, error: StatusError) -> float:
        """Return the delay before the next attempt; raise `error` if there is none."""
        if not is_transient(error):
            raise error
        delay = self._backoff.next_delay(error.retry_after_secs)
        if delay is None or delay >= self.remaining_secs():
            raise error
        return delay


def is_transient(error: StatusError) -> bool:
    """Whether the same request may succeed after a delay."""
    if isinstance(error, ResourceExhaustedError):
        return error.retry_after_secs is not None
    return isinstance(error, UnavailableError)


def may_reopen(error: StatusError) -> bool:
    """Whether a stream that ended with this error may be reopened.

    A proxy or a gRPC library reports a reset stream, for example after a server crash, as INTERNAL
    without posewire's ErrorInfo.
    """
    return is_transient(error) or (isinstance(error, InternalError) and not error.from_server)
