from __future__ import annotations

from collections.abc import Callable

import pytest

from posewire_client import DeadlineExceededError, Result, UnavailableError
from posewire_client.session import StreamSession
from tests.reference.client_session import opened, put, sent, session_of
from tests.reference.fake_clock import FakeClock
from tests.reference.scripted_service import draining, result_for, started

SECS = 5.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def session(clock: FakeClock) -> StreamSession:
    return session_of(timeout_secs=SECS, clock=clock)


def test_the_start_of_a_stream_must_come_in_time(session: StreamSession, clock: FakeClock) -> None:
    session.open_call()
    clock.advance(4)
    assert session.secs_to_timeout == 1
    clock.advance(1)
    assert session.secs_to_timeout == 0
    session.time_out()
    with pytest.raises(DeadlineExceededError, match=r"started no stream within 5\.0 s"):
        session.take()


def test_the_first_outcome_must_come_in_time_after_its_frame(
    session: StreamSession, clock: FakeClock
) -> None:
    opened(session)
    clock.advance(100)
    put(session, 1)
    sent(session)
    clock.advance(4)
    put(session, 1)
    sent(session)  # a later frame does not renew the time
    assert session.secs_to_timeout == 1
    clock.advance(1)
    session.time_out()
    with pytest.raises(DeadlineExceededError, match=r"sent nothing within 5\.0 s"):
        session.take()


def test_every_response_renews_the_time(session: StreamSession, clock: FakeClock) -> None:
    session.open_call()
    clock.advance(4)
    session.receive(started())
    put(session, 3)
    first, second, _ = sent(session)
    for response in (result_for(first), result_for(second), draining()):
        clock.advance(4)
        session.receive(response)
        assert session.secs_to_timeout == SECS


@pytest.mark.parametrize(
    "leave",
    [
        lambda session: None,
        lambda session: session.end_call(UnavailableError("gone")),
    ],
    ids=["no frame in flight", "between calls"],
)
def test_nothing_times_out_while_the_server_owes_nothing(
    session: StreamSession, clock: FakeClock, leave: Callable[[StreamSession], object]
) -> None:
    opened(session)
    put(session, 1)
    session.receive(result_for(sent(session)[0]))
    leave(session)
    clock.advance(1000)
    assert session.secs_to_timeout == SECS


def test_the_end_of_the_stream_must_come_in_time(session: StreamSession, clock: FakeClock) -> None:
    opened(session)
    put(session, 1)
    session.receive(result_for(sent(session)[0]))
    clock.advance(1000)
    session.finish_source()
    assert session.secs_to_timeout == SECS
    clock.advance(SECS)
    assert session.secs_to_timeout == 0
    session.time_out()
    assert isinstance(session.take(), Result)
    with pytest.raises(DeadlineExceededError):
        session.take()


def test_a_stream_that_does_not_start_again_in_time_is_reopened(clock: FakeClock) -> None:
    session = session_of(timeout_secs=SECS, retry_for_secs=8, clock=clock)
    opened(session)
    put(session, 1)
    sent(session)
    assert session.end_call(UnavailableError("gone")) == 0.2
    session.open_call()
    clock.advance(SECS)
    session.time_out()
    assert not session.is_finished
    assert session.has_timed_out
    assert session.secs_to_timeout == SECS, "once is enough"
    assert session.end_call(None) == 0.4
    session.open_call()
    assert not session.has_timed_out
    clock.advance(SECS)
    session.time_out()
    assert session.end_call(None) is None
    with pytest.raises(DeadlineExceededError, match="started no stream"):
        session.take()
