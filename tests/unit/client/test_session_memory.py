"""What a session holds is bounded, however slow its caller is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from posewire_client import Delivery, FrameFailure, Result, Skipped, SkipReason, UnavailableError
from posewire_client.request import frame_request
from tests.reference.client_session import ids, opened, put, sent, session_of, taken
from tests.reference.scripted_service import result_for, started

MANY = 20_000
IMAGE_BYTES = 10_000


@contextmanager
def memory_grows_by_less_than(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < limit


def test_frames_that_a_newer_one_replaces_take_no_memory() -> None:
    session = session_of(delivery=Delivery.LATEST)
    opened(session, window=2)
    put(session, 1)
    (first,) = sent(session)
    put(session, 1)
    (second,) = sent(session)
    with memory_grows_by_less_than(2 * IMAGE_BYTES):
        for _ in range(MANY):
            session.put(frame_request(bytes(IMAGE_BYTES)))
            assert sent(session) == []
    session.receive(result_for(first))
    session.receive(result_for(second))
    outcomes = taken(session)
    assert [each.frame_id for each in outcomes] == [*range(1, MANY + 2)]
    assert [each.frames_skipped_before for each in outcomes] == [0, 0, *range(MANY - 1)]
    assert all(isinstance(each, Result) for each in outcomes[:2])
    assert {each.reason for each in outcomes[2:] if isinstance(each, Skipped)} == {
        SkipReason.SUPERSEDED
    }
    (newest,) = sent(session)
    assert newest.frame.frame_id == MANY + 2


def test_frames_replaced_while_there_is_no_server_take_no_memory() -> None:
    session = session_of(delivery=Delivery.LATEST, retry_for_secs=None)
    with memory_grows_by_less_than(2 * IMAGE_BYTES):
        for _ in range(100):
            session.open_call()
            for _ in range(100):
                session.put(frame_request(bytes(IMAGE_BYTES)))
            session.end_call(UnavailableError("gone"))
    opened(session)
    assert ids(sent(session)) == [10_000]
    assert len(taken(session)) == 9_999


def test_frames_replaced_between_outcomes_are_counted_in_their_places() -> None:
    session = session_of(delivery=Delivery.LATEST)
    opened(session, window=1)
    put(session, 3)
    session.receive(result_for(sent(session)[0]))
    put(session, 2)
    assert [type(each) for each in taken(session)] == [Skipped, Skipped, Result, Skipped]
    session.receive(result_for(sent(session)[0]))
    put(session, 1)
    (five,) = taken(session)
    assert (five.frame_id, five.frames_skipped_before) == (5, 3)


@pytest.mark.parametrize("delivery", Delivery)
def test_failures_that_the_server_does_not_see_count_towards_the_window(
    delivery: Delivery,
) -> None:
    session = session_of(delivery=delivery)
    session.open_call()
    session.receive(started(window=2, max_image_bytes=4))
    pulled = 0
    while session.is_put_ready and pulled < 100:
        put(session, 1)
        assert sent(session) == []
        pulled += 1
    failures = [each for each in taken(session) if isinstance(each, FrameFailure)]
    assert len(failures) == 2
    assert pulled == (3 if delivery is Delivery.LOSSLESS else 100)
