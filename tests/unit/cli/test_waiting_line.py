from __future__ import annotations

import io
import logging
import re
import sys

import pytest

from posewire_cli.command import main
from posewire_cli.output import waiting_line
from posewire_cli.output.waiting_line import WaitingLine
from posewire_client import UnavailableError, Waiting
from tests.reference.waiting import wait_until

GONE = Waiting(error=UnavailableError("gone"), waited_secs=0.0, delay_secs=0.1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> str:
    """What a wait prints that is longer than the line takes to appear."""
    monkeypatch.setattr(sys, "stderr", stderr)
    for name in ("_TERMINAL_AFTER_SECS", "_LOG_AFTER_SECS"):
        monkeypatch.setattr(waiting_line, name, 0.0)
    line = WaitingLine("host:1")
    line(GONE)
    wait_until(lambda: "host:1" in stderr.getvalue())
    line(GONE)
    line(None)
    return stderr.getvalue()


def test_a_log_gets_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO()).splitlines() == [
        "posewire: waiting for the server at host:1",
        "posewire: waited 0 s for the server at host:1",
    ]


def test_a_terminal_gets_one_line_that_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "waiting for the server at host:1 (0 s)" in text
    assert "\n" not in text
    # After the last return the line is blank.
    assert re.fullmatch(r".*\r *\r", text, re.DOTALL)


def test_a_short_wait_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting_line, "_LOG_AFTER_SECS", 60.0)
    line = WaitingLine("host:1")
    line(GONE)
    line(None)
    line(GONE)
    line.close()
    assert capsys.readouterr().err == ""


def test_the_clients_warning_is_not_printed_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "path", "demo"]) == 0
    assert logging.getLogger("posewire_client").handlers


@pytest.mark.parametrize("secs", ["-1", "nan", "soon"])
def test_retry_for_is_checked(secs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--server", "localhost:1", "--retry-for", secs, "x.png"]) == 2
    assert "--retry-for" in capsys.readouterr().err


def test_retry_for_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--model", "demo", "--retry-for", "60", "x.png"]) == 2
    assert "--retry-for: only with --server" in capsys.readouterr().err
