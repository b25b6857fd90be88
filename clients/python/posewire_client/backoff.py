"""How long to wait before trying again, and when to stop trying."""

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

# The contract's: see the comment of PoseService on retries.
FIRST_WAIT_SECS = 0.2
LONGEST_WAIT_SECS = 10.0


class Backoff:
    """The waits between attempts that fail one after the other."""

    def __init__(self, attempts: int, *, draw: Callable[[], float] = random.random) -> None:
        if attempts < 1:
            raise ValueError(f"attempts is {attempts}; at least 1 is wanted")
        self._attempts = attempts
        self._draw = draw
        self._failures = 0

    @property
    def is_fresh(self) -> bool:
        """Whether nothing failed since the beginning or the last success."""
        return self._failures == 0

    def reset(self) -> None:
        """Take note of a success: the next wait is a short one again."""
        self._failures = 0

    def next_wait(self, retry_after_secs: float | None = None) -> float | None:
        """Take note of a failure; the seconds to wait, or None if no attempt is left."""
        self._failures += 1
        if self._failures >= self._attempts:
            return None
        longest = min(math.ldexp(FIRST_WAIT_SECS, self._failures - 1), LONGEST_WAIT_SECS)
        return max(self._draw() * longest, retry_after_secs or 0.0)


class Attempts:
    """The attempts of one unary call, all of which share one deadline."""

    def __init__(
        self,
        backoff: Backoff,
        *,
        timeout_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < timeout_secs < math.inf:
            raise ValueError(f"timeout is {timeout_secs}; a finite number of seconds is wanted")
        self._backoff = backoff
        self._clock = clock
        self._deadline = clock() + timeout_secs

    def remaining_secs(self) -> float:
        """What the next attempt may take."""
        return max(self._deadline - self._clock(), 0.0)

    def wait_after(self, error: StatusError) -> float:
        """The seconds to wait before the next attempt; raises `error` if there is to be none."""
        if not is_passing(error):
            raise error
        wait = self._backoff.next_wait(error.retry_after_secs)
        if wait is None or wait >= self.remaining_secs():
            raise error
        return wait


def is_passing(error: StatusError) -> bool:
    """Whether the same request may well succeed after a pause."""
    if isinstance(error, ResourceExhaustedError):
        return error.retry_after_secs is not None
    return isinstance(error, UnavailableError)


def may_reopen(error: StatusError) -> bool:
    """Whether a stream that ended so may be opened again.

    INTERNAL without posewire's own details is how a proxy or a library reports a stream that was
    reset, as when a server died.
    """
    return is_passing(error) or (isinstance(error, InternalError) and not error.from_server)
