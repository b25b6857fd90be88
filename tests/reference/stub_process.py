"""The stub server as a process that a test sends signals to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECS = 40


class StubProcess:
    """A running `tests.reference.stub_server`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._child: int | None = None
        self._signalled_at = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        """Return the next line of its output: the address, once it is ready."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def error(self) -> str:
        """Return the next line that it writes to stderr."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def signal(self, number: int) -> None:
        os.kill(self._child or self.pid, number)
        self._signalled_at = time.monotonic()

    def signal_child(self) -> None:
        """Send signals to its only child from now on."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        self._child = int(children)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what it wrote to stderr."""
        _, err = self._process.communicate(timeout=_PATIENCE_SECS)
        return self._process.returncode, err

    @property
    def secs_since_signal(self) -> float:
        return time.monotonic() - self._signalled_at


@contextmanager
def stub_process(*arguments: str, below: Sequence[str] = ()) -> Iterator[StubProcess]:
    """Run the stub server with these arguments until the block ends.

    `below`: a command that runs it as its child.
    """
    server = [sys.executable, "-W", "error", "-m", "tests.reference.stub_server", *arguments]
    command = [*below, *server]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield StubProcess(process)
        finally:
            process.kill()
