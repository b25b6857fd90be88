"""Shows on stderr that a command waits for its server."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing

from tqdm import tqdm

from posewire_client import Waiting

# Not for a pause that nobody would notice. A log needs no lines about the few seconds either after
# which a command reports that it cannot connect at all.
_TERMINAL_AFTER_SECS = 1.0
_LOG_AFTER_SECS = 6.0


class WaitingLine:
    """The `on_wait` of a client.

    A terminal shows for how long, until the server is back. Other outputs get a line for the
    beginning and one for the end.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, waiting: Waiting | None) -> None:
        if waiting is None:
            self.close()
        elif self._thread is None:
            self._is_over.clear()
            self._thread = threading.Thread(target=self._show, name="waiting line", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Clear the line."""
        if self._thread is not None:
            self._is_over.set()
            self._thread.join()
            self._thread = None

    def _show(self) -> None:
        began = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if self._is_over.wait(_TERMINAL_AFTER_SECS if is_terminal else _LOG_AFTER_SECS):
            return
        if is_terminal:
            self._count(began)
        else:
            print(f"posewire: waiting for the server at {self._server}", file=sys.stderr)
            self._is_over.wait()
            waited = f"waited {time.monotonic() - began:.0f} s"
            print(f"posewire: {waited} for the server at {self._server}", file=sys.stderr)

    def _count(self, began: float) -> None:
        # A bar of its own goes below that of the command, and clears its line when it is closed.
        with closing(tqdm(bar_format="{desc}", leave=False, file=sys.stderr)) as line:
            while True:
                secs = time.monotonic() - began
                line.set_description_str(f"waiting for the server at {self._server} ({secs:.0f} s)")
                if self._is_over.wait(1.0):
                    return
