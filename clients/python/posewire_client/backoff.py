"""Retry delays, and when to stop retrying."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from posewire_client.errors import (
    CallCancelledError,
    InternalError,
    ResourceExhaustedError,
    StatusError,
    UnavailableError,
)

# From the contract: the comment of PoseService on retries.
INITIAL_DELAY_SECS = 0.2
MAX_DELAY_SECS = 10.0
_MAX_DOUBLINGS = 6  # more than it takes to reach MAX_DELAY_SECS


class Backoff:
    """Exponential backoff with jitter over consecutive failures.

    It gives up `retry_for_secs` after the first of them; None means never.
    """

    def __init__(
        self,
        retry_for_secs: float | None,
        *,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        secs = checked_retry_time(retry_for_secs)
        self._retry_for_secs = math.inf if secs is None else secs
        self._draw = draw
        self._clock = clock
        self._failures = 0
        self._failing_since: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether there was no failure since the start or the last reset."""
        return self._failures == 0

    def reset(self) -> None:
        """Record a success: the next delay is the initial one again."""
        self._failures = 0
        self._failing_since = None

    def extend(self) -> None:
        """Count `retry_for_secs` from the next failure on, but keep the length of the delays."""
        self._failing_since = None

    def next_delay(self, retry_after_secs: float | None = None) -> float | None:
        """Record a failure. Return the delay before the next attempt, or None if time is up.

        The last attempt is made at the end of the time.
        """
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        longest = math.ldexp(INITIAL_DELAY_SECS, min(self._failures, _MAX_DOUBLINGS))
        self._failures += 1
        remaining = self._failing_since + self._retry_for_secs - now
        shortest = retry_after_secs or 0.0
        if remaining <= 0 or shortest > remaining:
            return None
        return min(max(self._draw() * min(longest, MAX_DELAY_SECS), shortest), remaining)


class Attempts:
    """The attempts of one unary call, which share one deadline."""

    def __init__(
        self,
        backoff: Backoff,
        *,
        timeout_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backoff = backoff
        self._clock = clock
        self._deadline = clock() + checked_timeout(timeout_secs)

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


def checked_timeout(secs: float) -> float:
    """Return a timeout that is positive and finite; raises ValueError for others."""
    if not 0 < secs < math.inf:
        raise ValueError(f"timeout is {secs} s; must be positive and finite")
    return secs


def checked_retry_time(secs: float | None) -> float | None:
    """Return a time that is not negative, or None; raises ValueError for others."""
    if secs is not None and not secs >= 0:
        raise ValueError(f"retry_for_secs is {secs}; must be at least 0, or None")
    return secs


def is_transient(error: StatusError) -> bool:
    """Whether the same request may succeed after a delay.

    A call that reaches a server as it stops may end with CANCELLED. After cancelling a call on this
    side, do not ask.
    """
    if isinstance(error, ResourceExhaustedError):
        return error.retry_after_secs is not None
    return isinstance(error, UnavailableError | CallCancelledError)


def may_reopen(error: StatusError) -> bool:
    """Whether a stream that ended with this error may be reopened.

    A proxy or a gRPC library reports a reset stream, for example after a server crash, as INTERNAL
    without posewire's ErrorInfo.
    """
    return is_transient(error) or (isinstance(error, InternalError) and not error.from_server)
