from __future__ import annotations

from typing import Any

import pytest

from posewire.v1 import pose_service_pb2
from posewire_client import (
    Delivery,
    FrameFailure,
    InternalError,
    InvalidArgumentError,
    ProtocolError,
    Result,
    Skipped,
    SkipReason,
    UnavailableError,
)
from posewire_client.request import frame_request
from tests.reference.client_session import ids, opened, put, sent, session_of, taken
from tests.reference.scripted_service import (
    draining,
    error_for,
    result_for,
    started,
    status,
)

GONE = UnavailableError("gone")


def test_nothing_is_sent_before_the_server_has_started() -> None:
    session = session_of()
    session.open_call()
    put(session, 1)
    assert sent(session) == []
    session.receive(started())
    assert ids(sent(session)) == [1]


@pytest.mark.parametrize(("asked", "announced", "holds"), [(None, 2, 2), (3, 2, 2), (2, 4, 2)])
def test_the_smaller_window_is_used(asked: int | None, announced: int, holds: int) -> None:
    session = session_of(window=asked)
    opened(session, window=announced)
    put(session, 5)
    assert len(sent(session)) == holds


def test_an_outcome_makes_room_when_it_is_taken() -> None:
    session = session_of()
    opened(session, window=2)
    put(session, 4)
    first, _ = sent(session)
    session.receive(result_for(first))
    assert sent(session) == []
    assert [outcome.frame_id for outcome in taken(session)] == [1]
    assert ids(sent(session)) == [3]


def test_lossless_takes_one_frame_in_advance() -> None:
    session = session_of()
    opened(session, window=1)
    assert session.is_put_ready
    put(session, 1)
    assert not session.is_put_ready
    sent(session)
    assert session.is_put_ready


def test_latest_replaces_the_frame_that_waits() -> None:
    session = session_of(delivery=Delivery.LATEST)
    opened(session, window=1)
    put(session, 1)
    first = sent(session)
    assert session.is_put_ready
    put(session, 3)
    assert sent(session) == []
    session.receive(result_for(first[0]))
    one, two, three = taken(session)
    assert isinstance(one, Result)
    assert two == Skipped(frame_id=2, reason=SkipReason.SUPERSEDED, frames_skipped_before=0)
    assert three == Skipped(frame_id=3, reason=SkipReason.SUPERSEDED, frames_skipped_before=1)
    last = sent(session)
    assert ids(last) == [4]
    session.receive(result_for(last[0]))
    (four,) = taken(session)
    assert four.frames_skipped_before == 2


def test_an_image_above_the_limit_fails_without_being_sent() -> None:
    session = session_of()
    session.open_call()
    session.receive(started(max_image_bytes=10))
    session.put(frame_request(b"x" * 11))
    session.put(frame_request(b"x" * 10))
    assert ids(sent(session)) == [2]
    (failure,) = taken(session)
    assert isinstance(failure, FrameFailure)
    assert isinstance(failure.error, InvalidArgumentError)
    assert failure.error.reason == "IMAGE_TOO_LARGE"
    assert failure.error.metadata == {"max_image_bytes": "10"}


def test_the_errors_of_frames_leave_the_stream_alive() -> None:
    session = session_of()
    opened(session)
    put(session, 2)
    first, second = sent(session)
    session.receive(error_for(first, status(13, "defect")))
    session.receive(result_for(second))
    failure, result = taken(session)
    assert isinstance(failure, FrameFailure)
    assert isinstance(failure.error, InternalError)
    assert isinstance(result, Result)


def test_the_call_is_half_closed_after_the_last_frame_and_ends_with_ok() -> None:
    session = session_of()
    number = opened(session)
    put(session, 1)
    session.finish_source()
    assert not session.should_half_close(number)
    (only,) = sent(session)
    assert session.should_half_close(number)
    session.receive(result_for(only))
    assert session.end_call(None) is None
    assert session.is_finished
    assert len(taken(session)) == 1


def test_an_error_of_the_source_comes_after_the_outcomes() -> None:
    session = session_of()
    number = opened(session)
    put(session, 1)
    session.finish_source(ZeroDivisionError("in the camera"))
    (only,) = sent(session)
    assert session.should_half_close(number)
    session.receive(result_for(only))
    session.end_call(None)
    assert isinstance(session.take(), Result)
    with pytest.raises(ZeroDivisionError):
        session.take()


def test_a_closed_session_makes_no_call() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    session.close()
    assert not session.is_put_ready
    assert session.end_call(GONE) is None
    assert session.take() is None


def test_events_from_the_future_are_ignored() -> None:
    session = session_of()
    opened(session)
    session.receive(pose_service_pb2.StreamPosesResponse())
    assert not session.is_finished


@pytest.mark.parametrize("first", [draining(), result_for(pose_service_pb2.StreamPosesRequest())])
def test_the_server_must_start_the_stream_first(first: Any) -> None:
    session = session_of()
    session.open_call()
    with pytest.raises(ProtocolError, match="before it started"):
        session.receive(first)


def test_the_server_must_start_the_stream_once() -> None:
    session = session_of()
    opened(session)
    with pytest.raises(ProtocolError, match="twice"):
        session.receive(started())


def test_a_window_must_have_room() -> None:
    with pytest.raises(ProtocolError, match="window of 0"):
        opened(session_of(), window=0)


def test_outcomes_must_come_in_the_order_of_the_frames() -> None:
    session = session_of()
    opened(session)
    put(session, 2)
    _, second = sent(session)
    with pytest.raises(ProtocolError, match=r"answered frame 2, but the oldest .* is 1"):
        session.receive(result_for(second))


def test_an_outcome_must_have_a_frame() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    (only,) = sent(session)
    session.receive(result_for(only))
    with pytest.raises(ProtocolError, match="is None"):
        session.receive(result_for(only))


def test_ok_with_frames_left_breaks_the_contract() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    sent(session)
    assert session.end_call(None) is None
    with pytest.raises(ProtocolError, match="before its last frame"):
        session.take()
