from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points

import pytest

from posewire_cli import command, entry

# Ctrl-C arrives when the named module is imported.
INTERRUPTED_IMPORT = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
from posewire_cli.entry import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module", ["posewire_cli.command", "cyclopts", "posewire_cli.command.predict", "grpc"]
)
def test_an_interruption_of_imports_is_silent(module: str) -> None:
    words = ["predict", "--server", "localhost:1", "no-such-file"]
    answer = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, module, *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (-signal.SIGINT, "", "")


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The handler of SIGINT before and when a command runs."""
    found: list[object] = []

    def run(*, before_command: Callable[[], object]) -> int:
        found.append(signal.getsignal(signal.SIGINT))
        before_command()
        found.append(signal.getsignal(signal.SIGINT))
        return 3

    monkeypatch.setattr(command, "main", run)
    before = signal.getsignal(signal.SIGINT)
    yield found
    signal.signal(signal.SIGINT, before)


def test_a_command_itself_is_interrupted(handlers: list[object]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert entry.main() == 3
    assert handlers == [signal.SIG_DFL, signal.default_int_handler]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_a_job_in_the_background_stays_deaf(handlers: list[object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert entry.main() == 3
    assert handlers == [signal.SIG_IGN] * 2


def test_the_console_script_is_quiet_from_the_start() -> None:
    (script,) = entry_points(group="console_scripts", name="posewire")
    assert script.load() is entry.main
