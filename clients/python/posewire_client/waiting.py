"""Report that calls wait for a server that fails or is gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from posewire_client.errors import StatusError

logger = logging.getLogger("posewire_client")

# A restart in a moment is no news.
_LOGGED_AFTER_SECS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A pause before the next attempt of a call or a stream.

    `waited_secs` counts from the first failure after which no call got through, and `delay_secs` is
    the length of the pause.
    """

    error: StatusError
    waited_secs: float
    delay_secs: float


OnWait: TypeAlias = Callable[[Waiting | None], object]
"""Called with a Waiting at each pause, and with None once no call of the client waits any more."""


class WaitReporter:
    """Joins the pauses of all calls of a client into one report."""

    def __init__(
        self, server: str, on_wait: OnWait | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._on_wait = on_wait
        self._clock = clock
        self._lock = threading.RLock()  # the callback may close the client
        self._calls: set[CallWait] = set()
        self._since = 0.0
        self._is_logged = False

    def begin(self, call: CallWait, error: StatusError, delay_secs: float) -> None:
        """Report a pause of the call."""
        with self._lock:
            if not self._calls:
                self._since, self._is_logged = self._clock(), False
            self._calls.add(call)
            waited_secs = self._clock() - self._since
            if not self._is_logged and waited_secs + delay_secs >= _LOGGED_AFTER_SECS:
                self._is_logged = True
                logger.warning("waiting for the server at %s: %s", self._server, error)
            self._notify(Waiting(error=error, waited_secs=waited_secs, delay_secs=delay_secs))

    def end(self, call: CallWait) -> None:
        """Report that the call got through, or gave up."""
        with self._lock:
            self._calls.discard(call)
            if self._calls:
                return
            if self._is_logged:
                waited_secs = self._clock() - self._since
                logger.info("waited %.1f s for the server at %s", waited_secs, self._server)
            self._notify(None)

    def _notify(self, waiting: Waiting | None) -> None:
        if self._on_wait is None:
            return
        try:
            self._on_wait(waiting)
        except Exception:
            logger.exception("on_wait raised an exception")


class CallWait:
    """The pauses of one call or stream. Call it without holding a lock that the callback needs."""

    def __init__(self, reporter: WaitReporter) -> None:
        self._reporter = reporter
        self._is_waiting = False

    def begin(self, error: StatusError, delay_secs: float) -> None:
        """Record a pause before the next attempt."""
        self._is_waiting = True
        self._reporter.begin(self, error, delay_secs)

    def end(self) -> None:
        """Record that the server has answered, or that there is no further attempt."""
        if self._is_waiting:
            self._is_waiting = False
            self._reporter.end(self)
