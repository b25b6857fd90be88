"""Quotas of callers: streams and frames a second, and the share of turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from posewire_server.serving.access.shares import Share
from posewire_server.serving.access.usage import Usage
from posewire_server.serving.errors import BusyError, PermissionDeniedError

# RetryInfo delay when a stream has to end first.
_STREAM_RETRY_SECS = 1.0
# A stream that waits for its rate notices within this time that the rate has changed.
_MAX_SLEEP_SECS = 1.0
# Less is an error of rounding.
_MIN_SLEEP_SECS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of a caller, None for no limit, and its `weight`: turns per turn of weight 1.

    `max_rate`: frames and images of unary calls per second. `source`: the file or option that sets
    the quota, for error messages.
    """

    weight: float = 1.0
    max_streams: int | None = None
    max_rate: float | None = None
    source: str = ""


class Account:
    """A named caller, or a host, and what it uses of its quota; belongs to one event loop."""

    def __init__(
        self,
        name: str = "",
        quota: Quota | None = None,
        *,
        usage: Usage | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Count streams in `usage`, by default in one of its own."""
        quota = quota or Quota()
        self._usage = usage or Usage()
        self.name = name
        self.share = Share(weight=quota.weight)
        self._quota = quota
        self._rate = _RateLimit(quota.max_rate, clock)

    @classmethod
    def named(cls, name: str, quota: Quota, *, usage: Usage | None = None) -> Account:
        """Create an account with a share of turns of its own, however many streams it has."""
        account = cls(name, quota, usage=usage)
        account.share.name = name
        return account

    def change(self, quota: Quota) -> None:
        """Apply another quota, also to streams that are open."""
        self._quota = quota
        self.share.weight = quota.weight
        self._rate.change(quota.max_rate)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream. Raises `BusyError` or `PermissionDeniedError` if it is one too many."""
        limit = self._quota.max_streams
        if limit == 0:
            raise PermissionDeniedError(
                f"caller {self.name}: got a stream, want unary calls only "
                f"({self._quota.source}: max_streams is 0)",
                reason="STREAMS_NOT_ALLOWED",
                metadata={"caller": self.name, "limit": "max_streams", "value": "0"},
            )
        if not self._usage.open_stream(self.name, limit):
            raise self._over("max_streams", limit or 0, "STREAM_LIMIT_REACHED", _STREAM_RETRY_SECS)
        try:
            yield
        finally:
            self._usage.close_stream(self.name)

    def take_frame(self) -> bool:
        """Count a frame, unless the rate does not allow it now."""
        self._share_rate()
        return not self._rate.take()

    def check_rate(self) -> None:
        """Count an image of a unary call. Raises `BusyError` if the rate does not allow it now."""
        self._share_rate()
        if wait_secs := self._rate.take():
            limit = self._quota.max_rate or 0.0
            raise self._over("max_rate", limit, "RATE_LIMIT_REACHED", wait_secs)

    async def wait_for_frame(self) -> None:
        """Count a frame, and wait until the rate allows it."""
        if self._quota.max_rate is None:
            return
        self._share_rate()
        number = self._rate.reserve()
        try:
            while wait_secs := self._rate.secs_until(number):
                await asyncio.sleep(min(wait_secs, _MAX_SLEEP_SECS))
        except asyncio.CancelledError:
            self._rate.give_back()
            raise

    def _share_rate(self) -> None:
        """Allow an equal part of the rate in each process that gets frames of the caller."""
        if (rate := self._quota.max_rate) is not None:
            self._rate.change(rate / self._usage.record_frame(self.name))

    def _over(self, limit: str, value: float, reason: str, retry_secs: float) -> BusyError:
        return BusyError(
            f"caller {self.name}: {limit} is {value:g} ({self._quota.source}); retry in "
            f"{retry_secs:.3g} s",
            reason=reason,
            retry_secs=retry_secs,
            metadata={"caller": self.name, "limit": limit, "value": f"{value:g}"},
        )


class _RateLimit:
    """A token bucket that holds the frames of one second, and at least one."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._level = self._size
        # How many frames the rate has allowed so far.
        self._allowed = 0.0
        self._filled_at = clock()

    @property
    def _size(self) -> float:
        return max(1.0, self._rate or 0.0)

    def change(self, rate: float | None) -> None:
        if rate != self._rate:
            self._fill()
            was_unlimited, self._rate = self._rate is None, rate
            self._level = self._size if was_unlimited else min(self._level, self._size)

    def take(self) -> float:
        """Take one frame and return 0, or return the seconds after which there is one."""
        self._fill()
        if self._rate is not None and self._level < 1.0:
            return (1.0 - self._level) / self._rate
        self._level -= 1.0
        return 0.0

    def reserve(self) -> float:
        """Take one frame, perhaps a future one, and return its number for `secs_until`."""
        self._fill()
        self._level -= 1.0
        return self._allowed - self._level

    def secs_until(self, number: float) -> float:
        """Return the seconds until the rate, if it stays, allows a reserved frame."""
        self._fill()
        if self._rate is None:
            return 0.0
        wait_secs = (number - self._allowed) / self._rate
        return wait_secs if wait_secs > _MIN_SLEEP_SECS else 0.0

    def give_back(self) -> None:
        """Return a frame that was reserved."""
        self._level = min(self._level + 1.0, self._size)

    def _fill(self) -> None:
        now = self._clock()
        if self._rate is None:
            self._level = self._size
        else:
            allowed = (now - self._filled_at) * self._rate
            self._allowed += allowed
            self._level = min(self._level + allowed, self._size)
        self._filled_at = now
