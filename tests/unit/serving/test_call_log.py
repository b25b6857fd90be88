"""The line of a call in the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from posewire.v1 import stream_pb2
from posewire_server.serving.errors import InternalError, ModelNotFoundError
from posewire_server.serving.frames.frame_in_flight import Failed, Skipped
from posewire_server.serving.observation.call import Call, Method
from posewire_server.serving.observation.call_log import CALLS, CallLog

STREAM = Method("poses", "Stream", "bidi_stream")
UNARY = Method("poses", "Once", "unary")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, CALLS)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = record.__dict__["fields"]
    return fields


def end_calls(log: CallLog, count: int, *, host: str = "ipv4:10.0.0.1") -> None:
    for number in range(count):
        Call(UNARY, (log,), peer=f"{host}:{number}").end()


def test_a_stream_is_one_line_with_its_frames(caplog: pytest.LogCaptureFixture) -> None:
    metadata = [("x-request-id", "abc-1")]
    call = Call(STREAM, (CallLog("poses"),), peer="ipv4:10.0.0.1:5000", metadata=metadata)
    call.model = "demo"
    for number in range(4):
        call.accept_frame()
        if number < 2:
            skipped = Skipped(stream_pb2.SKIP_REASON_SUPERSEDED)
            call.end_frame(skipped, frame_id=number, age_secs=0)
    call.end_frame(Failed(InternalError()), frame_id=3, age_secs=0)
    call.cancel()
    call.end()
    (record,) = caplog.records
    fields = fields_of(record)
    assert fields.pop("duration_secs") >= 0
    assert fields == {
        "method": "Stream",
        "peer": "ipv4:10.0.0.1:5000",
        "request_id": "abc-1",
        "model": "demo",
        "code": "CANCELLED",
        "frames": {"skipped": 2, "error": 1, "cancelled": 1},
        "frame_reasons": {"SUPERSEDED": 2, "INTERNAL": 1, "CANCELLED": 1},
    }
    line = record.getMessage()
    assert line.startswith("method=Stream peer=ipv4:10.0.0.1:5000 request_id=abc-1 model=demo ")
    assert line.endswith(
        "frames.skipped=2 frames.error=1 frames.cancelled=1 "
        "frame_reasons.SUPERSEDED=2 frame_reasons.INTERNAL=1 frame_reasons.CANCELLED=1"
    )


def test_text_of_a_client_is_quoted_and_short(caplog: pytest.LogCaptureFixture) -> None:
    call = Call(UNARY, (CallLog("poses"),), peer="unix:")
    call.fail(ModelNotFoundError('x"\n' * 1000, served=("demo",)))
    call.end()
    (record,) = caplog.records
    line = record.getMessage()
    assert "\n" not in line
    assert len(line) < 700
    assert "code=NOT_FOUND reason=MODEL_NOT_FOUND error=" in line


def test_one_host_cannot_fill_the_log_nor_hide_others(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = CallLog("poses", clock=clock)
    end_calls(log, 10_000)
    assert len(caplog.records) == 200
    end_calls(log, 1, host="ipv4:10.0.0.2")
    assert fields_of(caplog.records[-1])["unlogged_calls"] == 9_800
    Call(STREAM, (log,), peer="ipv4:10.0.0.1:1").end()
    assert len(caplog.records) == 202
    clock.now += 1
    end_calls(log, 1000)
    assert len(caplog.records) == 212


def test_many_hosts_together_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = CallLog("poses", clock=clock)
    for host in range(3000):
        end_calls(log, 2, host=f"ipv4:10.1.{host >> 8}.{host & 255}")
    assert len(caplog.records) == 1000
    clock.now += 10
    for host in range(3000):
        end_calls(log, 1, host=f"ipv4:10.1.{host >> 8}.{host & 255}")
    assert len(caplog.records) == 1500


def test_calls_of_other_services_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    Call(Method("health", "Check", "unary"), (CallLog("poses"),)).end()
    assert not caplog.records


def test_nothing_is_logged_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, CALLS)
    end_calls(CallLog("poses"), 1)
    assert not caplog.records
