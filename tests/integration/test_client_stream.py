"""Streams of both clients against a scripted server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from google.rpc import error_details_pb2
from posewire.v1 import stream_pb2
from posewire_client import (
    AsyncClient,
    Client,
    DeadlineExceededError,
    Delivery,
    EstimateOptions,
    FrameFailure,
    InternalError,
    InvalidArgumentError,
    Outcome,
    ProtocolError,
    ResourceExhaustedError,
    Result,
    Skipped,
    SkipReason,
    TimedImage,
    UnsuitableImageError,
)
from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    answer_all,
    answered,
    failed,
    running,
    skipped,
    started,
    status,
)


@pytest.fixture(params=[Blocking(), Awaiting()], ids=["Client", "AsyncClient"])
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


def ids(outcomes: list[Outcome]) -> list[int | None]:
    return [outcome.frame_id for outcome in outcomes]


def test_every_frame_is_answered_in_order(way: Way) -> None:
    service = ScriptedService(streams=[answer_all])
    with running(service) as server:
        outcomes = way.stream(server.target, [b"image"] * 50)
    assert ids(outcomes) == [*range(1, 51)]
    assert all(isinstance(outcome, Result) and outcome.model == "small" for outcome in outcomes)


def test_what_is_asked_reaches_the_server(way: Way) -> None:
    service = ScriptedService(streams=[answer_all])
    frames = [TimedImage(np.zeros((6, 8), np.uint8), 1.5)]
    with running(service) as server:
        way.stream(
            server.target,
            frames,
            model="small",
            options=EstimateOptions(refine=False),
            delivery=Delivery.LATEST,
            window=3,
            max_frame_age_secs=0.5,
            track=True,
            smoothing=True,
        )
    (config,) = service.configs
    assert (config.model, config.options.refine, config.max_frames_in_flight) == ("small", False, 3)
    assert config.delivery_policy == stream_pb2.DELIVERY_POLICY_LATEST
    assert config.max_frame_age.ToMilliseconds() == 500
    assert config.track
    assert config.smoothing


def test_no_frames_are_no_outcomes(way: Way) -> None:
    with running(ScriptedService(streams=[answer_all])) as server:
        assert way.stream(server.target, []) == []


def test_failures_and_skips_are_outcomes(way: Way) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield failed(next(requests), status(3, "damaged"))
        yield skipped(next(requests), stream_pb2.SKIP_REASON_OVERLOADED)
        yield from map(answered, requests)

    with running(ScriptedService(streams=[script])) as server:
        failure, skip, result = way.stream(server.target, [b"image"] * 3)
    assert isinstance(failure, FrameFailure)
    assert isinstance(failure.error, InvalidArgumentError)
    assert isinstance(skip, Skipped)
    assert skip.reason is SkipReason.OVERLOADED
    assert isinstance(result, Result)
    assert result.frames_skipped_before == 1


def test_the_window_is_kept(way: Way) -> None:
    arrived = threading.Semaphore(0)
    ahead: list[int] = []

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(window=2)
        waiting: list[Request] = []
        reader = threading.Thread(target=lambda: [note(waiting, each) for each in requests])
        reader.start()
        for _ in range(6):
            assert arrived.acquire(timeout=5)
            time.sleep(0.02)  # for a frame beyond the window to come
            ahead.append(len(waiting))
            yield answered(waiting.pop(0))
        reader.join()

    def note(waiting: list[Request], request: Request) -> None:
        waiting.append(request)
        arrived.release()

    with running(ScriptedService(streams=[script])) as server:
        outcomes = way.stream(server.target, [b"image"] * 6)
    assert ids(outcomes) == [1, 2, 3, 4, 5, 6]
    assert max(ahead) == 2


def test_a_frame_that_the_server_would_not_take_is_not_sent(way: Way) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(max_image_bytes=10)
        yield from map(answered, requests)

    service = ScriptedService(streams=[script])
    answers = threading.Semaphore(0)

    def frames() -> Iterator[bytes]:
        yield b"much too large"
        # The outcome comes although the server has nothing to say.
        assert answers.acquire(timeout=5)
        yield b"small"

    def each(outcome: Outcome) -> bool:
        answers.release()
        return True

    with running(service) as server:
        failure, result = way.stream(server.target, frames(), each=each)
    assert isinstance(failure, FrameFailure)
    assert failure.error.reason == "IMAGE_TOO_LARGE"
    assert isinstance(result, Result)
    assert service.frames_sent == [[2]]


def test_an_outcome_comes_before_the_next_frame_does(way: Way) -> None:
    answers = threading.Semaphore(0)

    def frames() -> Iterator[bytes]:
        for _ in range(3):
            yield b"image"
            assert answers.acquire(timeout=5), "the outcome of a frame waits for the next frame"

    def each(outcome: Outcome) -> bool:
        answers.release()
        return True

    with running(ScriptedService(streams=[answer_all])) as server:
        assert ids(way.stream(server.target, frames(), each=each)) == [1, 2, 3]


def test_a_slow_caller_holds_frames_back(way: Way) -> None:
    pulled = 0
    beyond: list[int] = []

    def frames() -> Iterator[bytes]:
        nonlocal pulled
        for _ in range(12):
            pulled += 1
            yield b"image"

    def each(outcome: Outcome) -> bool:
        time.sleep(0.03)
        assert outcome.frame_id is not None
        beyond.append(pulled - outcome.frame_id)
        return True

    with running(ScriptedService(streams=[answer_all])) as server:
        outcomes = way.stream(server.target, frames(), each=each, window=2)
    assert len(outcomes) == 12
    # Two in the window, one that waits to be sent, and one that was pulled meanwhile.
    assert max(beyond) <= 4


def test_latest_skips_what_a_newer_frame_replaces(way: Way) -> None:
    all_frames = threading.Event()

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(window=1)
        first = next(requests)
        assert all_frames.wait(5)
        yield answered(first)
        yield from map(answered, requests)

    def frames() -> Iterator[bytes]:
        yield b"image"
        while not service.frames_sent[0:1] or not service.frames_sent[0]:
            time.sleep(0.01)
        yield from [b"image"] * 9
        all_frames.set()

    service = ScriptedService(streams=[script])
    with running(service) as server:
        outcomes = way.stream(server.target, frames(), delivery=Delivery.LATEST)
    assert ids(outcomes) == [*range(1, 11)]
    # One more may be sent than those two, if the answer overtakes the last of the frames.
    sent = service.frames_sent[0]
    assert (sent[0], sent[-1]) == (1, 10)
    assert len(sent) <= 3
    for outcome in outcomes:
        was_sent = outcome.frame_id in sent
        assert isinstance(outcome, Result if was_sent else Skipped)


@pytest.mark.parametrize("taken", [1, 3])
def test_closing_early_cancels_the_call(way: Way, taken: int) -> None:
    service = ScriptedService(streams=[answer_all])

    def frames() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"image"

    with running(service) as server:
        outcomes = way.stream(
            server.target, frames(), each=lambda outcome: outcome.frame_id != taken
        )
        assert service.ended.wait(5)
    assert len(outcomes) == taken
    assert len(service.frames_sent[0]) < 100


def test_closing_leaves_no_thread_behind() -> None:
    before = {*threading.enumerate()}
    with running(ScriptedService(streams=[answer_all])) as server, Client(server.target) as client:
        outcomes = client.stream(iter([b"image"] * 1000))
        next(outcomes)
        own = [
            thread
            for thread in {*threading.enumerate()} - before
            if "_make_calls" in thread.name or "_feed" in thread.name
        ]
        assert len(own) == 2
        outcomes.close()
        for thread in own:
            thread.join(5)
        assert not any(thread.is_alive() for thread in own)


def test_a_source_that_raises_raises_after_its_outcomes(way: Way) -> None:
    def frames() -> Iterator[bytes]:
        yield b"image"
        yield b"image"
        raise ZeroDivisionError("in the camera")

    taken: list[Any] = []

    def each(outcome: Outcome) -> bool:
        taken.append(outcome.frame_id)
        return True

    service = ScriptedService(streams=[answer_all])
    with running(service) as server, pytest.raises(ZeroDivisionError, match="in the camera"):
        way.stream(server.target, frames(), each=each)
    assert taken == [1, 2]


def test_an_unsuitable_frame_raises_after_the_outcomes_before_it(way: Way) -> None:
    taken: list[Any] = []

    def each(outcome: Outcome) -> bool:
        taken.append(outcome.frame_id)
        return True

    with (
        running(ScriptedService(streams=[answer_all])) as server,
        pytest.raises(UnsuitableImageError, match="of type int"),
    ):
        way.stream(server.target, [b"image", 7], each=each)
    assert taken == [1]


@pytest.mark.parametrize(
    ("code", "error"),
    [(3, InvalidArgumentError), (8, ResourceExhaustedError)],
)
def test_a_stream_that_does_not_open_says_why(way: Way, code: int, error: Any) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        raise StatusRaised(status(code, "not so"))
        yield

    with (
        running(ScriptedService(streams=[script])) as server,
        pytest.raises(error, match="not so"),
    ):
        way.stream(server.target, [b"image"])


def test_a_defect_of_the_server_is_final(way: Way) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        for _ in requests:  # to the end: a write that crosses the status would take its place
            pass
        info = error_details_pb2.ErrorInfo(domain="posewire", reason="INTERNAL")
        raise StatusRaised(status(13, "defect", info))

    service = ScriptedService(streams=[script])
    with running(service) as server, pytest.raises(InternalError, match="defect"):
        way.stream(server.target, [b"image"] * 3)
    assert service.frames_sent == [[1, 2, 3]]


def test_a_server_that_never_starts_the_stream_runs_out_of_time(way: Way) -> None:
    release = threading.Event()

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        release.wait(10)
        yield started()

    with running(ScriptedService(streams=[script])) as server:
        with pytest.raises(DeadlineExceededError, match=r"started no stream within 0\.3 s"):
            way.stream(server.target, [b"image"], client={"timeout_secs": 0.3})
        release.set()


def test_a_server_that_breaks_the_contract_is_found_out(way: Way) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        _, second = next(requests), next(requests)
        yield answered(second)

    with (
        running(ScriptedService(streams=[script])) as server,
        pytest.raises(ProtocolError, match="answered frame 2"),
    ):
        way.stream(server.target, [b"image"] * 2)


def test_an_async_stream_takes_a_plain_list() -> None:
    async def main(target: str) -> list[Outcome]:
        async with AsyncClient(target) as client:
            return [outcome async for outcome in client.stream([b"image"] * 3)]

    with running(ScriptedService(streams=[answer_all])) as server:
        assert ids(asyncio.run(main(server.target))) == [1, 2, 3]


def test_two_streams_of_one_client_do_not_mix() -> None:
    with running(ScriptedService(streams=[answer_all])) as server, Client(server.target) as client:
        one, other = client.stream([b"image"] * 5), client.stream([b"image"] * 5)
        pairs = [(a.frame_id, b.frame_id) for a, b in zip(one, other, strict=True)]
    assert pairs == [(n, n) for n in range(1, 6)]
