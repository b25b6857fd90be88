"""Clients outside of the hosts: in Python and Go, through Envoy and without."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mesh.record import Answer, Record

_ROOT = Path(__file__).parents[2]
_GO_CLIENT = _ROOT / "build/clients/go/meshclient"
_CONFIG = _ROOT / "deploy/clients/round_robin.json"
_PATIENCE_SECS = 60.0
ENVOY, DIRECT, UNDISTURBED = "Envoy", "direct", "undisturbed"
PYTHON, GO = "Python", "Go"
LANGUAGES = (PYTHON, GO)


@dataclass(frozen=True, slots=True)
class Load:
    """What each client sends."""

    streams: int
    unary: int
    interval_secs: float

    @property
    def arguments(self) -> list[str]:
        words = ["--streams", str(self.streams), "--unary", str(self.unary)]
        return [*words, "--interval", str(self.interval_secs)]


class ClientProcess:
    """A client and what it got; `way` is how it reaches servers, or UNDISTURBED."""

    def __init__(
        self, way: str, language: str, addresses: Sequence[str], load: Load, log: Path
    ) -> None:
        self.way = way
        self.language = language
        self.records: dict[str, Record] = {}
        self.violations: list[str] = []
        self._callers = load.streams + load.unary
        command = [sys.executable, "-m", "tests.mesh.client"]
        if language == GO:
            command = [str(_GO_CLIENT), "--service-config", _CONFIG.read_text()]
        command += [*load.arguments, ",".join(addresses)]
        with log.open("a") as stderr:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def __str__(self) -> str:
        return f"{self.language}, {self.way}"

    @property
    def streams(self) -> list[Record]:
        return [each for name, each in self.records.items() if name.startswith("stream")]

    @property
    def unary(self) -> list[Record]:
        return [each for name, each in self.records.items() if name.startswith("unary")]

    def has_outcomes_since(self, moment: float) -> bool:
        """Return whether all callers had an outcome since then, or the client has ended."""
        if self._process.poll() is not None:
            return True
        records = list(self.records.values())
        return len(records) == self._callers and all(
            each.times and each.times[-1] > moment for each in records
        )

    def stop(self) -> None:
        """Send no more frames, and wait for the missing outcomes to complete the records."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(_PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            self.kill()
            self.violations.append(
                f"{self} did not end in {_PATIENCE_SECS:.0f} s, expected the outcomes of all frames"
            )
        else:
            self._reading.join()
            if code:
                self.violations.append(f"{self} ended with {code}")
        self.violations += self.violations_so_far()

    def violations_so_far(self) -> list[str]:
        """Return the violations of all callers."""
        records = list(self.records.values())
        return [f"{self}, {each}" for record in records for each in record.violations]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._add(line.split(), time.monotonic())

    def _add(self, words: list[str], moment: float) -> None:
        kind, caller, *rest = words
        record = self.records.setdefault(caller, Record(caller))
        if kind == "outcome":
            record.add(Answer(*map(int, rest)), time=moment)
        elif kind == "sent":
            record.close(int(rest[0]))
        else:
            record.violate(" ".join(rest))


@contextmanager
def client_group(
    ways: Mapping[str, Sequence[str]],
    load: Load,
    log: Path,
    *,
    languages: Sequence[str] = LANGUAGES,
) -> Iterator[list[ClientProcess]]:
    """Run a client in each language for each way, which has addresses, until the block ends.

    All have an outcome for each caller before the block begins. Their warnings go to the log.
    """
    clients: list[ClientProcess] = []
    try:
        for way, addresses in ways.items():
            for language in languages:
                clients.append(ClientProcess(way, language, addresses, load, log))
        wait_for_outcomes(clients)
        yield clients
    finally:
        for client in clients:
            client.kill()


def wait_for_outcomes(clients: Sequence[ClientProcess]) -> None:
    """Wait until all callers have had another outcome, or their client has ended."""
    since = time.monotonic()
    while waiting := [client for client in clients if not client.has_outcomes_since(since)]:
        if time.monotonic() > since + _PATIENCE_SECS:
            known = [each for client in waiting for each in client.violations_so_far()]
            names = "; ".join([*map(str, waiting), *known])
            raise TimeoutError(f"callers without an outcome in {_PATIENCE_SECS:.0f} s: {names}")
        time.sleep(0.02)
