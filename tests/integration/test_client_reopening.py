"""Streams of both clients that lose their server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from google.rpc import error_details_pb2
from posewire.v1 import stream_pb2
from posewire_client import Outcome, Result, UnavailableError, backoff
from tests.reference.client_ways import Way
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    answer_all,
    draining,
    result_for,
    skip_for,
    start,
    started,
    status,
)

SHORT = {"retry_for_secs": 0.5}


def check_all_answered(outcomes: list[Outcome], count: int) -> None:
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, count + 1)]
    assert all(isinstance(outcome, Result) for outcome in outcomes)


def test_frames_that_a_draining_server_skips_are_resent(
    way: Way, service: ScriptedService, target: str
) -> None:
    def drain(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(window=3)
        yield result_for(next(requests))
        yield result_for(next(requests))
        crossing = next(requests)
        yield draining()
        yield skip_for(crossing, stream_pb2.SKIP_REASON_DRAINING)
        for request in requests:
            yield skip_for(request, stream_pb2.SKIP_REASON_DRAINING)

    service.streams = [drain, answer_all]
    check_all_answered(way.stream(target, [b"image"] * 12), 12)
    first, second = service.frames_sent
    assert first[:3] == [1, 2, 3]
    assert second == [*range(3, 13)]


@pytest.mark.parametrize("code", [1, 13, 14])
def test_a_stream_that_is_cut_resumes_where_it_was(
    way: Way, service: ScriptedService, target: str, code: int
) -> None:
    def cut(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started(window=3)
        yield result_for(next(requests))
        next(requests)
        raise StatusRaised(status(code, "cut"))

    service.streams = [cut, cut, answer_all]
    check_all_answered(way.stream(target, [b"image"] * 8), 8)
    first, second, third = service.frames_sent
    assert (first[0], second[0]) == (1, 2)
    assert third == [*range(3, 9)]


def test_a_server_that_is_killed_and_restarted(way: Way) -> None:
    first, second = ScriptedService(), ScriptedService()
    server = start(first)
    running_servers = [server]

    def restart() -> None:
        server.stop()
        running_servers.append(start(second, port=server.port))

    def each(outcome: Outcome) -> bool:
        if outcome.frame_id == 5:
            restart()
        return True

    try:
        check_all_answered(way.stream(server.target, [b"image"] * 30, each=each, window=2), 30)
    finally:
        for each_server in running_servers:
            each_server.stop()
    assert second.frames_sent[0][0] > 5
    assert second.frames_sent[0][-1] == 30


def test_the_client_gives_up_on_a_server_that_does_not_return(way: Way) -> None:
    server = start(ScriptedService())
    taken: list[Any] = []

    def each(outcome: Outcome) -> bool:
        taken.append(outcome.frame_id)
        if outcome.frame_id == 3:
            server.stop()
        return True

    with pytest.raises(UnavailableError):
        way.stream(server.target, [b"image"] * 100, each=each, window=2, client=SHORT)
    assert taken == [*range(1, len(taken) + 1)]
    assert 3 <= len(taken) <= 5


def test_a_long_drain_is_outlasted(
    way: Way, service: ScriptedService, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old server keeps its address while another stream holds its drain."""

    def drain(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield draining()
        for request in requests:
            yield skip_for(request, stream_pb2.SKIP_REASON_DRAINING)

    def refuse(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        info = error_details_pb2.ErrorInfo(domain="posewire", reason="DRAINING")
        raise StatusRaised(status(14, "draining", info))
        yield

    monkeypatch.setattr(backoff, "INITIAL_DELAY_SECS", 0.001)
    service.streams = [drain, *[refuse] * 12, answer_all]
    check_all_answered(way.stream(target, [b"image"] * 5), 5)


def test_a_server_that_was_never_there_is_unavailable(way: Way) -> None:
    server = start(ScriptedService())
    server.stop()
    with pytest.raises(UnavailableError):
        way.stream(server.target, [b"image"], client=SHORT)


def test_closing_while_waiting_to_reopen_ends_at_once(
    way: Way, service: ScriptedService, target: str
) -> None:
    cut_off = threading.Event()

    def cut(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield result_for(next(requests))
        cut_off.set()
        raise StatusRaised(status(14, "cut"))

    def each(outcome: Outcome) -> bool:
        assert cut_off.wait(5)
        return False

    service.streams = [cut]
    assert len(way.stream(target, [b"image"] * 9, each=each)) == 1
