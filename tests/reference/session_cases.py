"""Runs tests/clients/session_cases.yaml, whose head describes the steps, through the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from posewire.v1 import pose_service_pb2, stream_pb2
from posewire_client import (
    Delivery,
    FrameFailure,
    Outcome,
    ProtocolError,
    Result,
    Skipped,
    StatusError,
)
from posewire_client.request import frame_request
from posewire_client.status import error_from_status
from tests.reference.client_session import ids, put, sent, session_of
from tests.reference.fake_clock import FakeClock
from tests.reference.scripted_service import (
    draining,
    error_for,
    result_for,
    skip_for,
    started,
    status,
)

PATH = Path(__file__).parents[1] / "clients" / "session_cases.yaml"
SETTINGS = {"delivery", "window", "retry_for_secs", "timeout_secs"}


class SourceError(Exception):
    """The error of a case's source of frames."""


def session_cases() -> list[dict[str, Any]]:
    """Read all cases."""
    cases: list[dict[str, Any]] = yaml.safe_load(PATH.read_text())
    return cases


def run_case(case: Mapping[str, Any]) -> None:
    """Run one case; raises AssertionError where the session deviates."""
    settings = {key: value for key, value in case.items() if key not in ("name", "steps")}
    assert settings.keys() <= SETTINGS, f"unknown setting in {settings}"
    runner = CaseRunner(settings)
    for number, step in enumerate(case["steps"], start=1):
        ((key, value),) = step.items()
        try:
            getattr(runner, f"do_{key}")(value)
        except AssertionError as error:
            raise AssertionError(f"step {number}, {step}: {error}") from error


class CaseRunner:
    """A session and what the steps of a case do with it: `do_` and the key of the step."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._clock = FakeClock()
        options = dict(settings)
        delivery = Delivery(options.pop("delivery", "lossless"))
        self._session = session_of(delivery=delivery, clock=self._clock, **options)
        self._call = 0

    # Events

    def do_advance(self, secs: float) -> None:
        self._clock.advance(secs)

    def do_put(self, frames: int | Mapping[str, int]) -> None:
        if isinstance(frames, int):
            put(self._session, frames)
        else:
            (size,) = _values(frames, "image_bytes")
            self._session.put(frame_request(b"x" * size))

    def do_finish_source(self, error: str | None) -> None:
        self._session.finish_source(None if error is None else SourceError(error))

    def do_open_call(self, _: None) -> None:
        self._call = self._session.open_call()

    def do_receive(self, response: Mapping[str, Any]) -> None:
        self._session.receive(_response(response))

    def do_reject(self, response: Mapping[str, Any]) -> None:
        try:
            self._session.receive(_response(response))
        except ProtocolError:
            return
        raise AssertionError("the session accepted the response")

    def do_end_call(self, end: Mapping[str, Any]) -> None:
        assert "reopen_after_secs" in end
        code, retry_after, from_server, expected = _values(
            end, "code", "retry_after_secs", "from_server", "reopen_after_secs"
        )
        delay = self._session.end_call(_error(code, retry_after, from_server))
        if expected is None:
            assert delay is None, f"reopens after {delay} s"
        else:
            assert delay is not None, "is finished"
            _check_secs(delay, expected)

    def do_time_out(self, _: None) -> None:
        self._session.time_out()

    def do_fail(self, code: str) -> None:
        error = _error(code, None, None)
        assert error is not None
        self._session.fail(error)

    def do_close(self, _: None) -> None:
        self._session.close()

    # Questions

    def do_send(self, frame_ids: list[int]) -> None:
        _check(ids(sent(self._session)), frame_ids)

    def do_half_close(self, expected: bool) -> None:
        _check(self._session.should_half_close(self._call), expected)

    def do_take(self, expected: list[dict[str, Any]]) -> None:
        items = self._items()
        _check(len(items), len(expected), of=items)
        for item, wanted in zip(items, expected, strict=True):
            assert wanted.keys() <= item.keys(), f"got {item}"
            says = wanted.get("says", "")
            assert says in item.get("says", ""), f"got {item}"
            _check({key: item[key] for key in wanted} | {"says": says}, wanted | {"says": says})

    def do_put_ready(self, expected: bool) -> None:
        _check(self._session.is_put_ready, expected)

    def do_take_ready(self, expected: bool) -> None:
        _check(self._session.is_take_ready, expected)

    def do_started(self, expected: bool) -> None:
        _check(self._session.is_started, expected)

    def do_finished(self, expected: bool) -> None:
        _check(self._session.is_finished, expected)

    def do_timed_out(self, expected: bool) -> None:
        _check(self._session.has_timed_out, expected)

    def do_secs_to_timeout(self, expected: float) -> None:
        _check_secs(self._session.secs_to_timeout, expected)

    def do_resume_token(self, expected: str) -> None:
        _check(self._session.config.resume_token, expected.encode())

    def _items(self) -> list[dict[str, Any]]:
        items = []
        try:
            while (outcome := self._session.take()) is not None:
                items.append(_item(outcome))
        except ProtocolError as error:
            return [*items, {"raises": "PROTOCOL", "says": str(error)}]
        except SourceError as error:
            return [*items, {"raises": "SOURCE", "says": str(error)}]
        except StatusError as error:
            return [*items, {"raises": error.code, "says": str(error)}]
        return [*items, {"end": None}] if self._session.is_finished else items


def _check(actual: object, expected: object, *, of: object = None) -> None:
    assert actual == expected, f"got {actual}" + ("" if of is None else f": {of}")


def _check_secs(actual: float, expected: float) -> None:
    assert abs(actual - expected) < 1e-6, f"got {actual} s"


def _values(mapping: Mapping[str, Any], *keys: str) -> list[Any]:
    """Return the values of the keys, None for a missing one; there must be no others."""
    assert mapping.keys() <= set(keys), f"expected only {keys}"
    return [mapping.get(key) for key in keys]


def _error(code: str, retry_after_secs: float | None, from_server: bool | None) -> Any:
    if code == "OK":
        return None
    details: list[Any] = []
    if retry_after_secs is not None:
        details.append(RetryInfo(retry_delay=Duration(seconds=round(retry_after_secs))))
    if from_server:
        details.append(ErrorInfo(domain="posewire", reason=code))
    return error_from_status(status(Code.Value(code), "scripted", *details))


def _response(response: Mapping[str, Any]) -> Any:
    fields = dict(response)
    token = str(fields.pop("resume_token", "")).encode()
    message = _response_without_token(fields)
    if token:
        event = message.WhichOneof("event")
        assert event in ("outcome", "draining"), f"{event} has no resume token"
        getattr(message, event).resume_token = token
    return message


def _response_without_token(response: Mapping[str, Any]) -> Any:
    kind = next(iter(response))
    if kind == "started":
        (fields,) = _values(response, "started")
        assert fields.keys() <= {"window", "max_image_bytes"}
        return started(**fields)
    if kind == "draining":
        _values(response, "draining")
        return draining()
    if kind == "unknown":
        _values(response, "unknown")
        return pose_service_pb2.StreamPosesResponse()
    request = pose_service_pb2.StreamPosesRequest()
    if kind == "result":
        (request.frame.frame_id,) = _values(response, "result")
        return result_for(request)
    if kind == "error":
        request.frame.frame_id, code = _values(response, "error", "code")
        return error_for(request, status(Code.Value(code), "scripted"))
    request.frame.frame_id, reason = _values(response, "skipped", "reason")
    return skip_for(request, getattr(stream_pb2, f"SKIP_REASON_{reason}"))


def _item(outcome: Outcome) -> dict[str, Any]:
    before = {"before": outcome.frames_skipped_before}
    match outcome:
        case Result():
            return {"result": outcome.frame_id, **before}
        case FrameFailure():
            error = outcome.error
            return {"error": outcome.frame_id, "code": error.code, "reason": error.reason, **before}
        case Skipped():
            return {"skipped": outcome.frame_id, "reason": outcome.reason.name, **before}
