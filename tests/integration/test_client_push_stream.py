"""Streams whose frames are pushed and whose outcomes go to a callback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from posewire_client import (
    Client,
    ClientClosedError,
    Delivery,
    NotFoundError,
    Outcome,
    PushStream,
    Result,
    Skipped,
)
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    result_for,
    started,
    status,
)
from tests.reference.waiting import finish_in_time, wait_until

IMAGE = np.zeros((6, 8, 3), np.uint8)


def test_each_frame_has_its_outcome_in_order(service: ScriptedService, target: str) -> None:
    outcomes: list[Outcome] = []
    threads: set[threading.Thread] = set()

    def keep(outcome: Outcome) -> None:
        outcomes.append(outcome)
        threads.add(threading.current_thread())

    with Client(target) as client, PushStream(client.stream, keep, model="small", window=2) as push:
        for _ in range(20):
            push.send(IMAGE)
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, 21)]
    assert all(isinstance(outcome, Result) for outcome in outcomes)
    assert service.configs[0].model == "small"
    assert service.configs[0].max_frames_in_flight == 2
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_a_slow_callback_holds_a_lossless_sender_back(target: str) -> None:
    may_go_on = threading.Event()
    sent = 0

    def send_all() -> None:
        nonlocal sent
        for _ in range(30):
            push.send(IMAGE)
            sent += 1

    with (
        Client(target) as client,
        PushStream(client.stream, lambda _: may_go_on.wait(20), window=2) as push,
    ):
        sender = threading.Thread(target=send_all)
        sender.start()
        wait_until(lambda: sent >= 3)
        sender.join(0.3)
        assert sent <= 8
        may_go_on.set()
        sender.join()
    assert sent == 30


def test_latest_does_not_hold_the_sender_back(target: str) -> None:
    may_go_on = threading.Event()
    outcomes: list[Outcome] = []

    def keep(outcome: Outcome) -> None:
        may_go_on.wait(20)
        outcomes.append(outcome)

    with (
        Client(target) as client,
        PushStream(client.stream, keep, delivery=Delivery.LATEST) as push,
    ):
        finish_in_time(lambda: [push.send(IMAGE) for _ in range(100)])
        may_go_on.set()
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, 101)]
    assert any(isinstance(outcome, Skipped) for outcome in outcomes)


def test_an_error_of_the_stream_is_raised_by_send(service: ScriptedService, target: str) -> None:
    def refuse(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        raise StatusRaised(status(5, "no such model"))
        yield

    def send_until_it_fails() -> None:
        while True:
            push.send(IMAGE)

    service.streams = [refuse]
    with Client(target) as client:
        push = PushStream(client.stream, print)
        with pytest.raises(NotFoundError, match="no such model"):
            finish_in_time(send_until_it_fails)
        with pytest.raises(NotFoundError, match="no such model"):
            push.close()


def test_an_error_of_the_callback_ends_the_stream(service: ScriptedService, target: str) -> None:
    def fail(outcome: Outcome) -> None:
        raise ZeroDivisionError("a bug")

    with Client(target) as client:
        push = PushStream(client.stream, fail)
        push.send(IMAGE)
        with pytest.raises(ZeroDivisionError, match="a bug"):
            push.close()
    assert service.ended.wait(5)


def test_an_exception_in_the_block_cancels_the_stream(
    service: ScriptedService, target: str
) -> None:
    test_ended = threading.Event()

    def answer_first(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield result_for(next(requests))
        test_ended.wait(20)

    def run() -> None:
        with Client(target) as client, PushStream(client.stream, lambda _: None) as push:
            for _ in range(3):
                push.send(IMAGE)
            raise ZeroDivisionError("a bug")

    service.streams = [answer_first]
    with pytest.raises(ZeroDivisionError, match="a bug"):
        finish_in_time(run)
    test_ended.set()


def test_the_callback_cannot_wait_for_itself(target: str) -> None:
    with Client(target) as client:
        push: PushStream = PushStream(client.stream, lambda _: push.send(IMAGE))
        push.send(IMAGE)
        with pytest.raises(RuntimeError, match="send was called by on_outcome"):
            finish_in_time(push.close)
        with pytest.raises(RuntimeError, match="send was called by on_outcome"):
            push.send(IMAGE)


def test_nothing_is_sent_after_the_end(target: str) -> None:
    with Client(target) as client:
        push = PushStream(client.stream, print)
        push.close()
        push.close()
        with pytest.raises(ClientClosedError, match="the stream is closed"):
            push.send(IMAGE)
