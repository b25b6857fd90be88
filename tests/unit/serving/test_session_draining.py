"""Streams that drain: on request, at their maximum age, or when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from posewire_server.serving.errors import UnavailableError
from posewire_server.serving.streams.session import SessionLife
from tests.reference.numbered_frames import frame_request, is_answer_to, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner
from tests.reference.session_stream import Stream, begun, first_x, run, settled, skip_of


@pytest.fixture
def held() -> Iterator[HeldRunner]:
    runner = HeldRunner(person_of)
    yield runner
    runner.release()


def test_a_draining_stream_answers_what_it_has_and_skips_what_comes(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held)
        await stream.next()
        stream.send(frame_request(1), frame_request(2))
        await begun(held)
        await settled()
        stream.session.drain()
        stream.session.drain()
        assert (await stream.next()).WhichOneof("event") == "draining"
        stream.send(frame_request(3))
        stream.close()
        held.release()
        outcomes = [await stream.outcome() for _ in range(3)]
        assert [is_answer_to(i, first_x(outcomes[i - 1])) for i in (1, 2)] == [True, True]
        assert skip_of(outcomes[2]) == "DRAINING"
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)


def test_a_client_that_does_not_close_a_draining_stream_is_cut() -> None:
    async def test() -> None:
        life = SessionLife(max_age_secs=0.05, drain_secs=0.05)
        stream = Stream(PaintingRunner(person_of), life=life)
        await stream.next()
        assert (await stream.next()).WhichOneof("event") == "draining"
        with pytest.raises(UnavailableError) as caught:
            await stream.next()
        assert caught.value.reason == "DRAINING"

    run(test)


def test_a_client_that_keeps_a_drained_stream_open_is_cut_soon() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of), life=SessionLife(drain_secs=60, close_secs=0.05))
        await stream.next()
        stream.send(frame_request(1))
        await stream.outcome()
        stream.session.drain()
        assert (await stream.next()).WhichOneof("event") == "draining"
        stream.send(frame_request(2))
        assert skip_of(await stream.outcome()) == "DRAINING"
        with pytest.raises(UnavailableError):
            await stream.next()

    run(test)


def test_an_idle_stream_is_drained(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, life=SessionLife(idle_secs=0.2))
        await stream.next()
        stream.send(frame_request(1))
        await begun(held)
        await asyncio.sleep(0.5)  # a stream that waits for an outcome is not idle
        held.release()
        assert is_answer_to(1, first_x(await stream.outcome()))
        assert (await stream.next()).WhichOneof("event") == "draining"
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)


def test_frames_that_a_draining_stream_has_no_time_for_are_skipped(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, life=SessionLife(drain_secs=0.1))
        await stream.next()
        stream.send(*map(frame_request, range(1, 6)))
        await begun(held)
        await settled()
        stream.session.drain()
        stream.close()
        assert (await stream.next()).WhichOneof("event") == "draining"
        outcomes = [await stream.outcome() for _ in range(5)]
        assert [each.frame_id for each in outcomes] == [1, 2, 3, 4, 5]
        assert {skip_of(each) for each in outcomes} == {"DRAINING"}
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)
