from __future__ import annotations

import pytest
from google.protobuf import duration_pb2

from google.rpc import error_details_pb2
from posewire.v1 import stream_pb2
from posewire_client import (
    CallCancelledError,
    Delivery,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    Result,
    Skipped,
    SkipReason,
    StatusError,
    UnavailableError,
)
from posewire_client.status import error_from_status
from tests.reference.client_session import ids, opened, put, sent, session_of, taken
from tests.reference.fake_clock import FakeClock
from tests.reference.scripted_service import (
    draining,
    result_for,
    skip_for,
    status,
)

DRAINING = stream_pb2.SKIP_REASON_DRAINING
GONE = UnavailableError("gone")


def test_draining_half_closes_the_call_and_reopens_at_once() -> None:
    session = session_of()
    number = opened(session)
    put(session, 3)
    first, second, third = sent(session)
    session.receive(draining())
    assert session.should_half_close(number)
    session.receive(result_for(first))
    session.receive(skip_for(second, DRAINING))
    session.receive(skip_for(third, DRAINING))
    assert session.end_call(None) == 0
    assert session.should_half_close(number)
    assert [outcome.frame_id for outcome in taken(session)] == [1]
    opened(session)
    again = sent(session)
    assert ids(again) == [2, 3]
    assert again[0].frame.image.encoded.data == b"image"


def test_an_outcome_behind_a_drained_frame_waits_and_is_not_requested_again() -> None:
    session = session_of()
    opened(session, window=3)
    put(session, 4)
    first, second, third = sent(session)
    session.receive(draining())
    session.receive(skip_for(first, DRAINING))
    session.receive(result_for(second))
    session.receive(result_for(third))
    assert taken(session) == []
    session.end_call(None)
    # Smaller than the number of outcomes that wait for frame 1.
    opened(session, window=2)
    again = sent(session)
    assert ids(again) == [1]
    session.receive(result_for(again[0]))
    assert [outcome.frame_id for outcome in taken(session)] == [1, 2, 3]
    assert ids(sent(session)) == [4]


def test_with_latest_a_drained_frame_is_skipped() -> None:
    session = session_of(delivery=Delivery.LATEST)
    opened(session)
    put(session, 1)
    (first,) = sent(session)
    session.receive(draining())
    session.receive(skip_for(first, DRAINING))
    (outcome,) = taken(session)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is SkipReason.DRAINING


@pytest.mark.parametrize(
    "error", [GONE, InternalError("reset"), ResourceExhaustedError("full", retry_after_secs=0)]
)
def test_after_a_cut_frames_without_an_outcome_are_resent(error: StatusError) -> None:
    session = session_of()
    opened(session)
    put(session, 3)
    first, *_ = sent(session)
    session.receive(result_for(first))
    put(session, 1)
    assert session.end_call(error) == 0.2
    opened(session)
    taken(session)
    assert ids(sent(session)) == [2, 3, 4]


def test_with_latest_only_the_newest_frame_is_resent() -> None:
    session = session_of(delivery=Delivery.LATEST)
    opened(session, window=2)
    for _ in range(2):
        put(session, 1)
        sent(session)
    put(session, 1)
    session.end_call(GONE)
    assert [type(outcome) for outcome in taken(session)] == [Skipped, Skipped]
    opened(session)
    assert ids(sent(session)) == [3]


def test_the_delay_is_at_least_what_the_server_asks_for() -> None:
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=3))
    session = session_of()
    session.open_call()
    assert session.end_call(error_from_status(status(8, "full", retry))) == 3


def test_an_outcome_resets_the_delays() -> None:
    session = session_of()
    put(session, 2)
    session.open_call()
    assert session.end_call(GONE) == 0.2
    session.open_call()
    assert session.end_call(GONE) == 0.4
    opened(session)
    session.receive(result_for(sent(session)[0]))
    assert session.end_call(GONE) == 0.2


def test_the_time_of_attempts_without_an_outcome_is_bounded() -> None:
    clock = FakeClock()
    session = session_of(retry_for_secs=15, clock=clock)
    put(session, 1)
    clock.advance(100)  # before the first failure
    delays = []
    for _ in range(7):
        opened(session)
        sent(session)
        delay = session.end_call(GONE)
        assert delay is not None
        delays.append(delay)
        clock.advance(delay)
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 2.4])  # the rest of 15 seconds
    opened(session)
    assert session.end_call(GONE) is None
    with pytest.raises(UnavailableError, match="gone"):
        session.take()


def test_a_stream_may_be_retried_for_ever() -> None:
    clock = FakeClock()
    session = session_of(retry_for_secs=None, clock=clock)
    put(session, 1)
    for _ in range(2000):
        session.open_call()
        delay = session.end_call(GONE)
        assert delay is not None
        assert delay <= 10
        clock.advance(delay)


def test_an_idle_stream_that_worked_renews_the_time_but_not_the_delays() -> None:
    clock = FakeClock()
    session = session_of(retry_for_secs=1, clock=clock)
    delays = []
    for _ in range(3):
        opened(session)
        clock.advance(3600)
        delays.append(session.end_call(GONE))
    assert delays == [0.2, 0.4, 0.8]
    session.open_call()
    clock.advance(1)
    assert session.end_call(GONE) is None, "a stream that does not start has not worked"


def test_a_cancellation_that_came_from_the_other_side_is_transient() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    sent(session)
    assert session.end_call(CallCancelledError("the server was stopping")) == 0.2
    opened(session)
    assert ids(sent(session)) == [1]


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgumentError("wrong"),
        InternalError("defect", from_server=True),
        ResourceExhaustedError("message too large"),
    ],
)
def test_other_statuses_are_final_and_come_after_the_outcomes(error: StatusError) -> None:
    session = session_of()
    opened(session)
    put(session, 2)
    session.receive(result_for(sent(session)[0]))
    assert session.end_call(error) is None
    assert session.is_finished
    assert isinstance(session.take(), Result)
    with pytest.raises(type(error)):
        session.take()


def test_the_session_gives_up_on_servers_that_only_drain() -> None:
    clock = FakeClock()
    session = session_of(retry_for_secs=1, clock=clock)
    put(session, 1)
    delays = []
    for _ in range(4):
        opened(session)
        (request,) = sent(session)
        session.receive(draining())
        session.receive(skip_for(request, DRAINING))
        delays.append(session.end_call(None))
        clock.advance(delays[-1] or 0)
    assert delays == [0, 0.4, pytest.approx(0.6), None]
    with pytest.raises(UnavailableError, match="drained"):
        session.take()


@pytest.mark.parametrize("retry_for_secs", [0, 30])
def test_the_first_drain_is_no_failure_but_servers_that_only_drain_are(
    retry_for_secs: float,
) -> None:
    session = session_of(delivery=Delivery.LATEST, retry_for_secs=retry_for_secs)
    delays = []
    for _ in range(2):
        put(session, 2)
        opened(session)
        (request,) = sent(session)
        session.receive(draining())
        session.receive(skip_for(request, DRAINING))
        put(session, 1)
        delays.append(session.end_call(None))
    assert delays == [0, 0.4 if retry_for_secs else None]


def test_an_idle_stream_may_be_drained_for_ever() -> None:
    clock = FakeClock()
    session = session_of(retry_for_secs=1, clock=clock)
    delays = []
    for _ in range(4):
        opened(session)
        session.receive(draining())
        delays.append(session.end_call(None))
        clock.advance(3600)
    assert delays == [0, 0.4, 0.8, 1]


def test_an_idle_stream_may_be_drained_without_retries() -> None:
    session = session_of(retry_for_secs=0)
    delays = []
    for _ in range(3):
        opened(session)
        session.receive(draining())
        delays.append(session.end_call(None))
    assert delays == [0, 10, 10]


def test_a_cut_after_the_last_outcome_is_no_error() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    session.finish_source()
    session.receive(result_for(sent(session)[0]))
    assert session.end_call(GONE) is None
    assert len(taken(session)) == 1
