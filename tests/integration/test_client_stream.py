"""Streams of both clients against a scripted server."""

from __future__ import annotations

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
    SmoothingOptions,
    TimedImage,
    UnsuitableImageError,
)
from tests.reference.client_ways import Way
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    error_for,
    result_for,
    skip_for,
    started,
    status,
)


class Taken:
    """Records the frame_ids of the outcomes taken, and lets frames wait for an outcome."""

    def __init__(self) -> None:
        self.ids: list[int | None] = []
        self._arrived = threading.Semaphore(0)

    def __call__(self, outcome: Outcome) -> bool:
        self.ids.append(outcome.frame_id)
        self._arrived.release()
        return True

    def wait(self) -> None:
        assert self._arrived.acquire(timeout=5), "no outcome before the next frame"


@pytest.fixture
def taken() -> Taken:
    """What a test passes as `each`, to see the outcomes although the stream raises."""
    return Taken()


def ids(outcomes: list[Outcome]) -> list[int | None]:
    return [outcome.frame_id for outcome in outcomes]


def test_every_frame_is_answered_in_order(way: Way, target: str) -> None:
    outcomes = way.stream(target, [b"image"] * 50)
    assert ids(outcomes) == [*range(1, 51)]
    assert all(isinstance(outcome, Result) and outcome.model == "small" for outcome in outcomes)


def test_the_config_reaches_the_server(way: Way, service: ScriptedService, target: str) -> None:
    way.stream(
        target,
        [TimedImage(np.zeros((6, 8), np.uint8), 1.5)],
        model="small",
        options=EstimateOptions(refine=False),
        delivery=Delivery.LATEST,
        window=3,
        max_frame_age_secs=0.5,
        track=True,
        smoothing=True,
        smoothing_options=SmoothingOptions(cutoff_per_speed=0),
    )
    (config,) = service.configs
    assert (config.model, config.options.refine, config.max_frames_in_flight) == ("small", False, 3)
    assert config.delivery_policy == stream_pb2.DELIVERY_POLICY_LATEST
    assert config.max_frame_age.ToMilliseconds() == 500
    assert config.track
    assert config.smoothing
    assert config.smoothing_options.HasField("cutoff_per_speed")
    assert config.smoothing_options.cutoff_per_speed == 0


def test_no_frames_are_no_outcomes(way: Way, target: str) -> None:
    assert way.stream(target, []) == []


def test_failures_and_skips_are_outcomes(way: Way, service: ScriptedService, target: str) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield error_for(next(requests), status(3, "damaged"))
        yield skip_for(next(requests), stream_pb2.SKIP_REASON_OVERLOADED)
        yield from map(result_for, requests)

    service.streams = [script]
    failure, skip, result = way.stream(target, [b"image"] * 3)
    assert isinstance(failure, FrameFailure)
    assert isinstance(failure.error, InvalidArgumentError)
    assert isinstance(skip, Skipped)
    assert skip.reason is SkipReason.OVERLOADED
    assert isinstance(result, Result)
    assert result.frames_skipped_before == 1


def test_the_window_is_kept(way: Way, service: ScriptedService, target: str) -> None:
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
            time.sleep(0.02)  # for a frame beyond the window to arrive
            ahead.append(len(waiting))
            yield result_for(waiting.pop(0))
        reader.join()

    def note(waiting: list[Request], request: Request) -> None:
        waiting.append(request)
        arrived.release()

    service.streams = [script]
    assert ids(way.stream(target, [b"image"] * 6)) == [1, 2, 3, 4, 5, 6]
    assert max(ahead) == 2


def test_a_frame_above_the_servers_limit_is_not_sent(
    way: Way, service: ScriptedService, target: str, taken: Taken
) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(max_image_bytes=10)
        yield from map(result_for, requests)

    def frames() -> Iterator[bytes]:
        yield b"much too large"
        taken.wait()  # for an outcome that the server does not send
        yield b"small"

    service.streams = [script]
    failure, result = way.stream(target, frames(), each=taken)
    assert isinstance(failure, FrameFailure)
    assert failure.error.reason == "IMAGE_TOO_LARGE"
    assert isinstance(result, Result)
    assert service.frames_sent == [[2]]


def test_an_outcome_does_not_wait_for_the_next_frame(way: Way, target: str, taken: Taken) -> None:
    def frames() -> Iterator[bytes]:
        for _ in range(3):
            yield b"image"
            taken.wait()

    assert ids(way.stream(target, frames(), each=taken)) == [1, 2, 3]


def test_a_slow_caller_holds_frames_back(way: Way, target: str) -> None:
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

    outcomes = way.stream(target, frames(), each=each, window=2)
    assert len(outcomes) == 12
    # Two in the window, one that waits to be sent, and one that was pulled meanwhile.
    assert max(beyond) <= 4


def test_latest_skips_frames_that_a_newer_one_replaces(
    way: Way, service: ScriptedService, target: str
) -> None:
    all_frames = threading.Event()

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(window=1)
        first = next(requests)
        assert all_frames.wait(5)
        yield result_for(first)
        yield from map(result_for, requests)

    def frames() -> Iterator[bytes]:
        yield b"image"
        while not service.frames_sent[0:1] or not service.frames_sent[0]:
            time.sleep(0.01)
        yield from [b"image"] * 9
        all_frames.set()

    service.streams = [script]
    outcomes = way.stream(target, frames(), delivery=Delivery.LATEST)
    assert ids(outcomes) == [*range(1, 11)]
    # One more may be sent than those two, if the result overtakes the last of the frames.
    sent = service.frames_sent[0]
    assert (sent[0], sent[-1]) == (1, 10)
    assert len(sent) <= 3
    for outcome in outcomes:
        was_sent = outcome.frame_id in sent
        assert isinstance(outcome, Result if was_sent else Skipped)


@pytest.mark.parametrize("last", [1, 3])
def test_closing_early_cancels_the_call(
    way: Way, service: ScriptedService, target: str, last: int
) -> None:
    def frames() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"image"

    outcomes = way.stream(target, frames(), each=lambda outcome: outcome.frame_id != last)
    assert service.ended.wait(5)
    assert len(outcomes) == last
    assert len(service.frames_sent[0]) < 100


def test_closing_leaves_no_thread_behind(target: str) -> None:
    before = {*threading.enumerate()}
    with Client(target) as client:
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


def test_an_error_of_the_source_is_raised_after_the_outcomes(
    way: Way, target: str, taken: Taken
) -> None:
    def frames() -> Iterator[bytes]:
        yield b"image"
        yield b"image"
        raise ZeroDivisionError("in the camera")

    with pytest.raises(ZeroDivisionError, match="in the camera"):
        way.stream(target, frames(), each=taken)
    assert taken.ids == [1, 2]


def test_an_unsuitable_frame_raises_after_the_outcomes_before_it(
    way: Way, target: str, taken: Taken
) -> None:
    with pytest.raises(UnsuitableImageError, match="of type int"):
        way.stream(target, [b"image", 7], each=taken)
    assert taken.ids == [1]


@pytest.mark.parametrize(
    ("code", "error"),
    [(3, InvalidArgumentError), (8, ResourceExhaustedError)],
)
def test_a_stream_that_does_not_open_raises_the_reason(
    way: Way, service: ScriptedService, target: str, code: int, error: Any
) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        raise StatusRaised(status(code, "not so"))
        yield

    service.streams = [script]
    with pytest.raises(error, match="not so"):
        way.stream(target, [b"image"])


def test_a_bug_of_the_server_is_final(way: Way, service: ScriptedService, target: str) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        for _ in requests:  # to the end, because a racing write would hide the status
            pass
        info = error_details_pb2.ErrorInfo(domain="posewire", reason="INTERNAL")
        raise StatusRaised(status(13, "bug", info))

    service.streams = [script]
    with pytest.raises(InternalError, match="bug"):
        way.stream(target, [b"image"] * 3)
    assert service.frames_sent == [[1, 2, 3]]


def test_a_server_that_never_starts_the_stream_times_out(
    way: Way, service: ScriptedService, target: str
) -> None:
    release = threading.Event()

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        release.wait(10)
        yield started()

    service.streams = [script]
    with pytest.raises(DeadlineExceededError, match=r"started no stream within 0\.3 s"):
        way.stream(target, [b"image"], client={"timeout_secs": 0.3})
    release.set()


def test_a_server_that_breaks_the_contract_is_detected(
    way: Way, service: ScriptedService, target: str
) -> None:
    def script(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        _, second = next(requests), next(requests)
        yield result_for(second)

    service.streams = [script]
    with pytest.raises(ProtocolError, match="answered frame 2"):
        way.stream(target, [b"image"] * 2)


@pytest.mark.anyio
async def test_an_async_stream_takes_a_plain_list(target: str) -> None:
    async with AsyncClient(target) as client:
        outcomes = [outcome async for outcome in client.stream([b"image"] * 3)]
    assert ids(outcomes) == [1, 2, 3]


def test_two_streams_of_one_client_are_independent(target: str) -> None:
    with Client(target) as client:
        one, other = client.stream([b"image"] * 5), client.stream([b"image"] * 5)
        pairs = [(a.frame_id, b.frame_id) for a, b in zip(one, other, strict=True)]
    assert pairs == [(n, n) for n in range(1, 6)]
