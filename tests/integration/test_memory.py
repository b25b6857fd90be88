"""How much memory a server has after many frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_client import (
    Client,
    DeadlineExceededError,
    Delivery,
    FrameFailure,
    FrameInput,
    InvalidArgumentError,
    Outcome,
    Result,
    Skipped,
)
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import PEOPLE, stub_server

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell a process's memory"
)

BITMAP = np.zeros((600, 600, 3), np.uint8)
DAMAGED = b"\xff\xd8\xff" + BITMAP.tobytes()


def test_memory_does_not_grow_with_the_number_of_frames() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    with (
        stub_server(capacity=2) as server,
        Client(server.address) as client,
        closing(client.stream(repeat(jpeg))) as outcomes,
    ):
        assert answered(outcomes, 1000) == 1000
        before = server.resident_bytes
        assert answered(outcomes, 9000) == 9000
        assert server.resident_bytes - before < 20e6


def answered(outcomes: Iterator[Outcome], count: int) -> int:
    """How many of the next `count` frames come back with the people in them."""
    results = (each for each in islice(outcomes, count) if isinstance(each, Result))
    return sum(len(each.poses) == PEOPLE for each in results)


@pytest.fixture(scope="module")
def counting() -> Iterator[ServerProcess]:
    """A server without garbage collector, so that every cycle of references stays."""
    with stub_server(secs=0.01, collects=False) as server:
        yield server


def refused(client: Client) -> None:
    for _ in range(50):
        with pytest.raises(InvalidArgumentError):
            client.estimate(DAMAGED)


def refused_in_a_stream(client: Client) -> None:
    outcomes = list(client.stream(repeat(DAMAGED, 50)))
    assert {type(each) for each in outcomes} == {FrameFailure}


def late(client: Client) -> None:
    for _ in range(50):
        with suppress(DeadlineExceededError):
            client.estimate(BITMAP, timeout_secs=0.005)


def superseded(client: Client) -> None:
    def frames() -> Iterator[FrameInput]:
        for _ in range(100):
            time.sleep(0.002)  # or most are superseded in the client
            yield BITMAP

    outcomes = list(client.stream(frames(), delivery=Delivery.LATEST))
    assert {type(each) for each in outcomes} == {Result, Skipped}


def abandoned(client: Client) -> None:
    for _ in range(10):
        with closing(client.stream(repeat(BITMAP))) as outcomes:
            next(outcomes)


@pytest.mark.parametrize("ask", [refused, refused_in_a_stream, late, superseded, abandoned])
def test_images_that_are_not_answered_do_not_wait_for_the_collector(
    counting: ServerProcess, ask: Callable[[Client], None]
) -> None:
    with Client(counting.address) as client:
        ask(client)
        before = counting.resident_bytes
        ask(client)
        ask(client)
        client.estimate(BITMAP)  # whatever is still at work ends before it
        growth = counting.resident_bytes - before
    assert growth < 50 * BITMAP.nbytes, "at least 100 were sent"
