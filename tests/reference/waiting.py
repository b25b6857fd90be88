"""Waiting in tests for what other threads do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

Value = TypeVar("Value")

_PATIENCE_SECS = 20


def wait_until(holds: Callable[[], bool], *, patience_secs: float = _PATIENCE_SECS) -> None:
    """Return as soon as the condition holds; fail if it does not in time."""
    deadline = time.monotonic() + patience_secs
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.001)


def finish_in_time(function: Callable[[], Value]) -> Value:
    """Return what the function returns, or raise what it raises; fail if it takes 20 seconds."""
    future: Future[Value] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 raised by result()
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    done, _ = wait([future], timeout=_PATIENCE_SECS)
    assert done, "it did not finish in time"
    return future.result()
