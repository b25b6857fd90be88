"""Honest clients in processes of their own, some of which are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.chaos.honest_client import PATIENCE_SECS, READY, WORK

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a client does, and with which of the clients."""

    work: str
    is_async: bool

    @property
    def arguments(self) -> list[str]:
        return ["--work", self.work, *(["--is-async"] if self.is_async else [])]


KINDS = tuple(Kind(work, is_async) for work in WORK for is_async in (False, True))


@dataclass(slots=True)
class Report:
    """The sum of the ledgers of all clients that were not killed."""

    clients: int = 0
    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class ClientGroup:
    """One client of each kind; they use the addresses in turn."""

    def __init__(self, addresses: list[str], roots: Path) -> None:
        self._addresses = addresses
        self._roots = roots
        self._processes: dict[Kind, subprocess.Popen[str]] = {}
        self._started = 0

    def __enter__(self) -> ClientGroup:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            _kill(process)

    def start(self) -> None:
        """Start the clients, and wait until each has its first outcome, or has ended."""
        for kind in KINDS:
            self._processes[kind] = self._start(kind)
        for process in self._processes.values():
            assert process.stdout is not None
            process.stdout.readline()

    def kill_one(self, chance: random.Random) -> None:
        """Kill one with SIGKILL, and start another instead."""
        kind = chance.choice(KINDS)
        _kill(self._processes.pop(kind))
        self._processes[kind] = self._start(kind)

    def stop(self) -> Report:
        """Let all take their last outcomes and end; return what they report."""
        report = Report()
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for kind, process in self._processes.items():
            code = process.wait(PATIENCE_SECS)
            assert process.stdout is not None
            with process.stdout as out:
                _add(report, kind, code, out.read().removeprefix(f"{READY}\n"))
        self._processes.clear()
        return report

    def _start(self, kind: Kind) -> subprocess.Popen[str]:
        address = self._addresses[self._started % len(self._addresses)]
        self._started += 1
        command = [sys.executable, "-W", "error", "-m", "tests.chaos.honest_client", address]
        command += [*kind.arguments, "--roots", str(self._roots)]
        return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _add(report: Report, kind: Kind, code: int, out: str) -> None:
    report.clients += 1
    if code == -signal.SIGTERM:
        return  # stopped before it began
    if code or not out:
        report.violations.append(f"{kind}: ended with {code}")
        return
    ledger = json.loads(out)
    report.sent += ledger["sent"]
    report.outcomes.update(ledger["outcomes"])
    report.violations += [f"{kind}: {each}" for each in ledger["violations"]]
