"""Records as lines of JSON."""

from __future__ import annotations

import json
import logging
import sys

from posewire_cli.log_format import JsonFormatter
from posewire_cli.logs import text_format
from posewire_server.serving.observation.call_log import CALLS


def record_of(logger: str, message: str, **more: object) -> logging.LogRecord:
    return logging.getLogger(logger).makeRecord(
        logger, logging.INFO, __file__, 1, message, ("it",), None, extra=more
    )


def test_a_call_is_its_fields() -> None:
    record = record_of(CALLS, "%s", fields={"method": "Once", "frames": {"result": 2}})
    record.created, record.msecs = 1795899127.25, 250.0
    line = JsonFormatter().format(record)
    assert json.loads(line) == {
        "time": "2026-11-28T20:52:07.250Z",
        "level": "INFO",
        "logger": CALLS,
        "method": "Once",
        "frames": {"result": 2},
    }


def test_lines_of_several_processes_have_their_number() -> None:
    record = record_of("posewire_server", "ready for %s")
    assert json.loads(JsonFormatter(3).format(record))["process"] == 3
    line = logging.Formatter(text_format(3)).format(record)
    assert line.endswith("INFO process 3 posewire_server: ready for it")


def test_other_records_have_a_message_and_stay_on_their_line() -> None:
    record = record_of("posewire_server", "two\nlines of %s")
    try:
        raise ValueError("no")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["message"] == "two\nlines of it"
    assert "ValueError: no" in fields["traceback"]
