"""New connections to a shared port go to the process with the fewest."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic

import pytest

from posewire_server.serving.lifecycle import first_signal
from posewire_server.serving.workers.steering import Steering, next_places
from tests.reference.waiting import wait_until

PROCESSES = 3
# So that the connections are no burst.
_APART_SECS = 0.01


class Port:
    """One listener for each process, as the processes would have them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.port = 0
        self.listeners: list[socket.socket] = []

    def listen(self) -> socket.socket:
        listener = self._stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self.listeners.append(listener)
        return listener

    def connect(self) -> int:
        """Connect, and return the number of the listener that gets it."""
        self._stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
        found: list[int] = []

        def is_accepted() -> bool:
            for number, each in enumerate(self.listeners):
                try:
                    self._stack.enter_context(each.accept()[0])
                except (BlockingIOError, OSError):
                    continue
                found.append(number)
            return bool(found)

        wait_until(is_accepted)
        return found[0]


@pytest.fixture
def port() -> Iterator[Port]:
    with ExitStack() as stack:
        yield Port(stack)


def run(test: Callable[[Steering], object], port: Port) -> None:
    """Run a test that yields to the event loop by `await`, with all listeners joined."""

    async def steered() -> None:
        steering = Steering(PROCESSES)
        try:
            for number in range(PROCESSES):
                steering.join(number, [port.listen().dup()])
                steering.report(number, load=0, at=monotonic(), is_serving=True)
            await test(steering)
        finally:
            steering.close()

    asyncio.run(steered())


async def connect(port: Port, times: int) -> Counter[int]:
    """Connect again and again, and let the steering see each connection."""
    counts: Counter[int] = Counter()
    for _ in range(times):
        await asyncio.sleep(_APART_SECS)
        counts[port.connect()] += 1
        for _ in range(5):
            await asyncio.sleep(0)
    return counts


def spread(counts: Counter[int]) -> int:
    counted = [counts[number] for number in range(PROCESSES)]
    return max(counted) - min(counted)


def test_connections_are_spread_evenly(port: Port) -> None:
    async def test(_: Steering) -> None:
        assert spread(await connect(port, 60)) <= 3  # at random: 10 as often as not

    run(test, port)


def test_a_burst_is_spread_before_the_parent_sees_it(port: Port) -> None:
    async def test(_: Steering) -> None:
        counts = Counter(port.connect() for _ in range(90))  # without a turn of the event loop
        assert min(counts[number] for number in range(PROCESSES)) >= 10

    run(test, port)


def test_reported_load_counts(port: Port) -> None:
    async def test(steering: Steering) -> None:
        for number, load in enumerate((9, 3, 9)):
            steering.report(number, load=load, at=monotonic(), is_serving=True)
        assert await connect(port, 4) == {1: 4}

    run(test, port)


def test_a_process_that_does_not_serve_gets_nothing(port: Port) -> None:
    async def test(steering: Steering) -> None:
        steering.report(2, load=0, at=monotonic(), is_serving=False)
        counts = await connect(port, 20)
        assert counts[2] == 0
        assert abs(counts[0] - counts[1]) <= 2

    run(test, port)


@pytest.mark.parametrize("gone", range(PROCESSES))
def test_others_keep_their_turns_when_one_leaves(port: Port, gone: int) -> None:
    async def test(steering: Steering) -> None:
        port.listeners[gone].close()
        steering.leave(gone)
        counts = await connect(port, 20)
        left = [counts.pop(each) for each in range(PROCESSES) if each != gone]
        assert sum(left) == 20
        assert abs(left[0] - left[1]) <= 2

    run(test, port)


def test_a_listener_that_its_process_closes_is_noticed(port: Port) -> None:
    async def test(steering: Steering) -> None:
        port.listeners[0].shutdown(socket.SHUT_RDWR)  # as gRPC does; the duplicate stays open
        steering.report(1, load=10, at=monotonic(), is_serving=True)
        counts = await connect(port, 8)
        assert counts == {2: 8}

    run(test, port)


def test_a_report_replaces_the_connections_before_it(port: Port) -> None:
    async def test(steering: Steering) -> None:
        await connect(port, 3)
        for number, load in enumerate((9, 0, 9)):
            steering.report(number, load=load, at=monotonic(), is_serving=True)
        assert await connect(port, 4) == {1: 4}

    run(test, port)


def test_a_flood_of_connections_is_steered_past_at_once_and_in_silence(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(steering: Steering) -> None:
        calls = []
        complaints: list[object] = []
        monkeypatch.setattr(steering, "_steer", lambda: calls.append(1))
        monkeypatch.setattr(sys, "unraisablehook", complaints.append)
        for _ in range(2000):  # more than fit into the pipe to the event loop
            signal.raise_signal(signal.SIGRTMIN)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not complaints
        assert 1 <= len(calls) < 10

    run(test, port)


def test_a_flood_of_connections_does_not_hide_the_signal_to_end(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(_: Steering) -> None:
        monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
        with first_signal() as signalled:
            for _ in range(2000):
                signal.raise_signal(signal.SIGRTMIN)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(signalled.wait(), 20)

    run(test, port)


def test_connections_after_the_end_do_not_end_the_parent(port: Port) -> None:
    async def test(_: Steering) -> None:
        pass

    run(test, port)
    numbers = range(signal.SIGRTMIN, signal.SIGRTMIN + PROCESSES)
    assert {signal.getsignal(each) for each in numbers} == {signal.SIG_IGN}
    port.connect()


def test_next_places_fill_the_least_loaded_first() -> None:
    assert next_places({0: 5, 1: 1, 2: 9}, 3) == [1, 1, 1]
    assert sorted(next_places({0: 1, 1: 1, 2: 1, 3: 1}, 4)) == [0, 1, 2, 3]
    assert sorted(next_places({0: 2, 1: 1, 2: 1}, 3)) in ([0, 1, 2], [1, 1, 2], [1, 2, 2])
    assert sorted(next_places({0: 8, 1: 2}, 10)) == [0] * 2 + [1] * 8
