"""Streams of both clients whose server, source or caller is silent for long."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from posewire_client import (
    Client,
    DeadlineExceededError,
    Outcome,
    Result,
)
from tests.reference.black_hole import black_hole
from tests.reference.client_ways import Way
from tests.reference.restarting_server import RestartingServer
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    StreamScript,
    answer_all,
    result_for,
    started,
    status,
)
from tests.reference.waiting import finish_in_time

SHORT_SECS = 0.4


@pytest.fixture
def never_start() -> Iterator[StreamScript]:
    """A script that does not start the stream before the test has ended."""
    test_ended = threading.Event()

    def script(requests: Iterator[Request]) -> Iterator[Response]:
        test_ended.wait(20)
        yield started()

    yield script
    test_ended.set()


def test_a_stream_may_have_its_own_timeout(way: Way) -> None:
    with black_hole() as target:
        with pytest.raises(DeadlineExceededError, match=r"started no stream within 0\.4 s"):
            finish_in_time(lambda: way.stream(target, [b"image"], timeout_secs=SHORT_SECS))
        with pytest.raises(ValueError, match="timeout is 0 s"):
            way.stream(target, [b"image"], timeout_secs=0)


def test_a_server_that_stops_answering_times_out(
    way: Way, service: ScriptedService, target: str
) -> None:
    test_ended = threading.Event()
    taken: list[int | None] = []

    def answer_first(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield result_for(next(requests))
        test_ended.wait(20)

    def each(outcome: Outcome) -> bool:
        taken.append(outcome.frame_id)
        return True

    service.streams = [answer_first]
    with pytest.raises(DeadlineExceededError, match=r"sent nothing within 0\.4 s"):
        finish_in_time(
            lambda: way.stream(target, [b"image"] * 3, each=each, timeout_secs=SHORT_SECS)
        )
    test_ended.set()
    assert taken == [1]


def test_a_stream_that_does_not_start_again_in_time_is_reopened(
    way: Way, service: ScriptedService, target: str, never_start: StreamScript
) -> None:
    def cut(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield result_for(next(requests))
        raise StatusRaised(status(14, "cut"))

    service.streams = [cut, never_start, never_start, answer_all]
    outcomes = finish_in_time(lambda: way.stream(target, [b"image"] * 5, timeout_secs=SHORT_SECS))
    assert [outcome.frame_id for outcome in outcomes] == [1, 2, 3, 4, 5]
    assert len(service.frames_sent) == 4


def test_a_slow_source_and_a_slow_caller_do_not_time_out(way: Way, target: str) -> None:
    def frames() -> Iterator[bytes]:
        for _ in range(3):
            time.sleep(2 * SHORT_SECS)
            yield b"image"

    def each(outcome: Outcome) -> bool:
        time.sleep(2 * SHORT_SECS)
        return True

    assert len(way.stream(target, frames(), each=each, timeout_secs=SHORT_SECS)) == 3


def resume(server: RestartingServer) -> None:
    os.kill(server.pid, signal.SIGCONT)


def replace(server: RestartingServer) -> None:
    server.restart(signal.SIGKILL)


def test_a_frozen_server_is_noticed_and_outlasted() -> None:
    """By pings, before the timeout of the outcome, which is 30 seconds and would raise."""

    def survive(recover: Callable[[RestartingServer], None]) -> list[Outcome]:
        noticed = threading.Event()
        frames = [np.zeros((64, 64, 3), np.uint8)] * 50
        with (
            RestartingServer() as server,
            Client(server.address, on_wait=lambda _: noticed.set()) as client,
        ):
            outcomes = client.stream(frames)
            taken = [next(outcomes)]
            os.kill(server.pid, signal.SIGSTOP)
            rest = threads.submit(list, outcomes)
            assert noticed.wait(60)
            recover(server)
            return taken + rest.result(60)

    # Side by side, because to notice takes 10 to 21 seconds.
    with ThreadPoolExecutor() as threads:
        for outcomes in [threads.submit(survive, each) for each in (resume, replace)]:
            answered = outcomes.result(120)
            assert [outcome.frame_id for outcome in answered] == [*range(1, 51)]
            assert all(isinstance(outcome, Result) for outcome in answered)
