"""What SIGTERM does to a command that is writing something."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminating_cleanly() -> Iterator[None]:
    """SIGTERM does as Ctrl-C does, so that files are finished and a server of one's own is ended.

    Only where that can be had, which is the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
