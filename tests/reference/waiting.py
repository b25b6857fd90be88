"""Waiting in tests for what other threads do."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE_SECS = 20


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail if it does not in 20 seconds."""
    deadline = time.monotonic() + _PATIENCE_SECS
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.001)
