"""A server on each host."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.mesh.network import Host
from tests.reference.scrape import scrape, value

PORT = 50051
_METRICS_PORT = 9464
_ROOT = Path(__file__).parents[2]
_STOP_SECS = 30
_LISTEN = f"0.0.0.0:{PORT}"


def stub(*, people: int, capacity: int, secs: float) -> list[str]:
    """Return the command of a server that takes `secs` for each of `capacity` images at a time.

    It finds that many people in every image, which identifies its answers.
    """
    words = [sys.executable, "-m", "tests.reference.stub_server", "--address", _LISTEN]
    words += ["--people", str(people), "--capacity", str(capacity), "--secs", str(secs)]
    return [*words, "--lame-duck", "2", "--max-stream-age", "10"]


def bundled() -> list[str]:
    """Return the command of a server with the bundled network."""
    words = [str(Path(sys.executable).with_name("posewire")), "serve", "--model", "demo"]
    words += ["--address", _LISTEN, "--metrics-address", f"0.0.0.0:{_METRICS_PORT}"]
    return [*words, "--threads", "1", "--lame-duck", "2"]


class PoseServer:
    """A server on a host, which can be stopped and started again. Its log is `log`."""

    def __init__(self, host: Host, command: Sequence[str], log: Path) -> None:
        self.host = host
        self._command = host.command(command)
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"{self.host.address}:{PORT}"

    def open_streams(self) -> int:
        """Return how many streams are open, which only a bundled server reports."""
        samples = scrape(f"{self.host.address}:{_METRICS_PORT}")
        return int(value(samples, "posewire_streams"))

    def start(self) -> None:
        """Start it; `wait_until_ready` is still to be called."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def wait_until_ready(self) -> None:
        """Both kinds of servers print a line once they are ready."""
        assert self._process is not None
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError(f"{self.host.name} ended before it was ready; see {self._log}")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def drain(self) -> None:
        """Stop it with SIGTERM and wait for its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(_STOP_SECS)
        if code:
            raise RuntimeError(f"{self.host.name} ended with {code}; see {self._log}")
