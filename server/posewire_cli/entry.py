"""The console script. It imports nothing slow, so that Ctrl-C is quiet from the start."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial


def main() -> int:
    """Run the command and return its exit code.

    Until a subcommand runs, and after it, SIGINT ends the process without a trace: a module that is
    being imported is no place for a `KeyboardInterrupt`.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.default_int_handler:  # ignored, as shells do for background jobs
        return _run(lambda: None)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _run(partial(signal.signal, signal.SIGINT, handler))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _run(before_command: Callable[[], object]) -> int:
    from posewire_cli.command import main as run

    return run(before_command=before_command)
