"""Notices inferences that do not end, such as those of a device that hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from posewire_server.serving.scheduling.load import ServiceLoad

_LOG = logging.getLogger(__name__)

# Checks in each timeout, but no less often than the second number of seconds.
_CHECKS = 4
_LONGEST_PAUSE_SECS = 1.0


class StallWatch:
    """Logs which models have stalled, and reports whether any has; belongs to one event loop.

    `on_change` is called with whether any has, each time when that changes. `timeout_secs`: how
    long an inference may run, as in `ServiceLimits`; None for any time.
    """

    def __init__(
        self,
        load: Callable[[], ServiceLoad],
        *,
        timeout_secs: float | None,
        on_change: Callable[[bool], None],
    ) -> None:
        self._load = load
        self._timeout_secs = timeout_secs
        self._on_change = on_change
        self._stalled: frozenset[str] = frozenset()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timeout_secs is not None:
            self._check_again(self._timeout_secs)

    def stop(self) -> None:
        """Report no more changes."""
        if self._timer is not None:
            self._timer.cancel()

    def check(self) -> None:
        """Report what has changed since the last check."""
        models = self._load().models
        before = self._stalled
        self._stalled = frozenset(name for name, each in models.items() if each.is_stalled)
        for name in sorted(self._stalled - before):
            _LOG.error(
                "model %s has stalled: an inference has been running for more than %g s "
                "(--stall-timeout); not serving until it ends",
                name,
                self._timeout_secs,
            )
        health = "not serving" if self._stalled else "serving"
        for name in sorted(before - self._stalled):
            _LOG.warning("model %s has recovered; %s", name, health)
        if bool(before) != bool(self._stalled):
            self._on_change(bool(self._stalled))

    def _check_again(self, timeout_secs: float) -> None:
        pause_secs = min(timeout_secs / _CHECKS, _LONGEST_PAUSE_SECS)
        self._timer = asyncio.get_running_loop().call_later(pause_secs, self._tick, timeout_secs)

    def _tick(self, timeout_secs: float) -> None:
        self._check_again(timeout_secs)
        self.check()
