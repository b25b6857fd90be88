from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from posewire.v1.image_pb2 import Image
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.access.caller import Caller
from posewire_server.serving.frames.frame_in_flight import FrameInFlight, TooOldError
from posewire_server.serving.scheduling.network_gate import NetworkGate, WithdrawnError
from tests.reference.waiting import wait_until

PATIENCE_SECS = 20


def frame_of(
    caller: Caller, *, max_age_secs: float | None = None, flip_test: bool = False
) -> FrameInFlight:
    options = EstimateOptions(flip_test=flip_test)
    return FrameInFlight(
        caller, Image(), options, max_age_secs=max_age_secs, on_settled=lambda: None
    )


def caller() -> Caller:
    return Caller("peer", max_in_progress=9)


class Network:
    """A gate whose turns last until they are ended, in the order of `began`."""

    def __init__(self, capacity: int = 1) -> None:
        self.gate = NetworkGate(capacity)
        self.began: list[FrameInFlight] = []
        self._threads = ThreadPoolExecutor(16)
        self._ends: dict[FrameInFlight, threading.Event] = {}

    def enter(self, frame: FrameInFlight) -> Future[None]:
        self._ends[frame] = threading.Event()
        return self._threads.submit(self._run, frame)

    def run(self, frame: FrameInFlight) -> Future[None]:
        """Enter, and wait until the frame has its turn."""
        turn = self.enter(frame)
        wait_until(lambda: frame in self.began)
        return turn

    def queue(self, frame: FrameInFlight) -> Future[None]:
        """Enter, and wait until the frame waits."""
        waiting = len(self.gate._waiters)
        turn = self.enter(frame)
        wait_until(lambda: len(self.gate._waiters) > waiting)
        return turn

    def end(self, frame: FrameInFlight) -> None:
        self._ends[frame].set()

    def _run(self, frame: FrameInFlight) -> None:
        with self.gate.turn(frame):
            self.began.append(frame)
            assert self._ends[frame].wait(PATIENCE_SECS)


def test_as_many_frames_run_as_there_is_capacity() -> None:
    network = Network(capacity=2)
    first, second, third = (frame_of(caller()) for _ in range(3))
    network.run(first)
    network.run(second)
    waiting = network.queue(third)
    assert network.began == [first, second]
    network.end(second)
    wait_until(lambda: third in network.began)
    for each in (first, third):
        network.end(each)
    waiting.result(PATIENCE_SECS)


def test_the_caller_that_had_the_network_least_recently_is_next() -> None:
    network = Network()
    greedy, polite = caller(), caller()
    frames = [frame_of(greedy) for _ in range(3)]
    network.run(frames[0])
    network.queue(frames[1])
    network.queue(frames[2])
    late = frame_of(polite)
    network.queue(late)
    for frame in (frames[0], late, frames[1], frames[2]):
        wait_until(lambda frame=frame: frame in network.began)
        network.end(frame)
    assert network.began == [frames[0], late, frames[1], frames[2]]


def test_a_withdrawn_frame_stops_waiting_at_once() -> None:
    network = Network()
    first, second = frame_of(caller()), frame_of(caller())
    network.run(first)
    waiting = network.queue(second)
    network.gate.withdraw(second)
    with pytest.raises(WithdrawnError):
        waiting.result(PATIENCE_SECS)
    network.gate.withdraw(first)  # runs already, and goes on
    network.end(first)
    third = frame_of(caller())
    network.run(third)
    network.end(third)


def test_a_frame_that_is_too_old_passes_its_turn_on() -> None:
    network = Network()
    first, old, third = frame_of(caller()), frame_of(caller(), max_age_secs=0.0), frame_of(caller())
    network.run(first)
    skipped, waiting = network.queue(old), network.queue(third)
    network.end(first)
    with pytest.raises(TooOldError):
        skipped.result(PATIENCE_SECS)
    wait_until(lambda: third in network.began)
    network.end(third)
    waiting.result(PATIENCE_SECS)


def test_the_oldest_turn_is_the_longest() -> None:
    network = Network(capacity=2)
    assert network.gate.longest_secs == 0
    first, second = frame_of(caller()), frame_of(caller())
    first_turn = network.run(first)
    time.sleep(0.01)
    between = time.monotonic()
    second_turn = network.run(second)
    assert network.gate.longest_secs > time.monotonic() - between
    network.end(first)
    first_turn.result(PATIENCE_SECS)
    assert 0 < network.gate.longest_secs <= time.monotonic() - between
    network.end(second)
    second_turn.result(PATIENCE_SECS)
    assert network.gate.longest_secs == 0


def test_a_turn_that_is_handed_over_counts_anew() -> None:
    network = Network()
    first, second = frame_of(caller()), frame_of(caller())
    network.run(first)
    turn = network.queue(second)
    before = time.monotonic()
    network.end(first)
    wait_until(lambda: second in network.began)
    assert network.gate.longest_secs <= time.monotonic() - before
    network.end(second)
    turn.result(PATIENCE_SECS)


@pytest.mark.parametrize("capacity", [1, 2])
def test_a_flip_test_uses_two_turns(capacity: int) -> None:
    network = Network(capacity)
    blockers = [frame_of(caller()) for _ in range(capacity)]
    for each in blockers:
        network.run(each)
    flipping, plain = caller(), caller()
    flips = [frame_of(flipping, flip_test=True) for _ in range(2)]
    plains = [frame_of(plain) for _ in range(4)]
    for each in (*flips, *plains):
        network.queue(each)
    order = [plains[0], flips[0], plains[1], plains[2], flips[1], plains[3]]
    for count, each in enumerate((*blockers, *order), start=1):
        network.end(each)
        wait_until(lambda count=count: len(network.began) >= min(count + capacity, capacity + 6))
    assert network.began[capacity:] == order


def test_a_flip_test_that_found_the_network_free_has_used_two_turns_too() -> None:
    network = Network()
    flipping, plain = caller(), caller()
    flips = [frame_of(flipping, flip_test=True) for _ in range(2)]
    plains = [frame_of(plain) for _ in range(2)]
    network.run(flips[0])
    for each in (flips[1], *plains):
        network.queue(each)
    for each in (flips[0], plains[0]):
        network.end(each)
    wait_until(lambda: len(network.began) == 3)
    # It waits for its second turn while another caller has one.
    assert network.began == [flips[0], *plains]
    network.end(plains[1])
    wait_until(lambda: len(network.began) == 4)
    network.end(flips[1])


def test_a_flip_test_has_lasted_half_as_long_per_run() -> None:
    network = Network()
    frame = frame_of(caller(), flip_test=True)
    before = time.monotonic()
    turn = network.run(frame)
    time.sleep(0.02)
    longest_secs = network.gate.longest_secs
    assert 0.01 <= longest_secs <= (time.monotonic() - before) / 2
    network.end(frame)
    turn.result(PATIENCE_SECS)
