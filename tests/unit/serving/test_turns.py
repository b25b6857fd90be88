from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from posewire.v1.image_pb2 import Image
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.access.caller import Caller
from posewire_server.serving.access.shares import Share
from posewire_server.serving.frames.frame_in_flight import FrameInFlight
from posewire_server.serving.scheduling.network_gate import NetworkGate, _Waiter
from posewire_server.serving.scheduling.turns import Turns

DEPTH = 3


def frame_of(caller: Caller, *, flip_test: bool = False) -> FrameInFlight:
    options = EstimateOptions(flip_test=flip_test)
    return FrameInFlight(caller, Image(), options, on_settled=lambda: None)


def caller_with(
    turns: Turns[FrameInFlight],
    frames: int,
    *,
    max_in_progress: int = DEPTH,
    flip_test: bool = False,
    share: Share | None = None,
) -> Caller:
    caller = Caller("peer", max_in_progress=max_in_progress, share=share)
    for _ in range(frames):
        turns.add(frame_of(caller, flip_test=flip_test))
    return caller


def take_all(turns: Turns[FrameInFlight]) -> list[FrameInFlight]:
    return list(iter(turns.take, None))


def test_callers_take_turns_one_frame_at_a_time() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    callers = [caller_with(turns, frames, max_in_progress=100) for frames in (5, 1, 3)]
    served = [callers.index(frame.caller) for frame in take_all(turns)]
    assert served == [0, 1, 2, 0, 2, 0, 2, 0, 0]


def test_frames_of_one_caller_are_taken_in_order() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    caller = Caller("peer", max_in_progress=100)
    frames = [frame_of(caller) for _ in range(9)]
    for frame in frames:
        turns.add(frame)
    assert take_all(turns) == frames


def test_one_caller_has_as_many_frames_in_progress_as_the_depth_allows() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=DEPTH)
    caller = caller_with(turns, 9, max_in_progress=100)
    taken = take_all(turns)
    assert len(taken) == DEPTH
    turns.finish(taken[0])
    assert len(take_all(turns)) == 1
    assert caller.unanswered == 8


def test_a_caller_with_none_in_progress_does_not_wait_for_the_frames_of_another() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=DEPTH)
    caller_with(turns, 9)
    take_all(turns)
    late = caller_with(turns, 2)
    (frame,) = take_all(turns)
    assert frame.caller is late


def test_spare_places_are_few() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=DEPTH)
    for _ in range(50):
        caller_with(turns, 2)
    assert len(take_all(turns)) == turns.max_in_progress == DEPTH + 2


def test_a_caller_has_no_more_in_progress_than_it_may() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    caller_with(turns, 9, max_in_progress=2)
    taken = take_all(turns)
    assert len(taken) == 2
    turns.finish(taken[1])
    assert len(take_all(turns)) == 1


def test_the_newest_frame_keeps_the_turn_of_the_one_it_supersedes() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    camera = Caller("camera", max_in_progress=1, keeps_newest=True)
    first, second, third = (frame_of(camera) for _ in range(3))
    assert turns.add(first) is None
    other = caller_with(turns, 1)
    assert turns.add(second) is first
    assert turns.add(third) is second
    assert [frame.caller for frame in take_all(turns)] == [camera, other]
    assert not camera.waiting


def test_a_removed_frame_is_not_taken_and_a_taken_one_cannot_be_removed() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    caller = Caller("peer", max_in_progress=100)
    first, second = frame_of(caller), frame_of(caller)
    turns.add(first)
    turns.add(second)
    assert turns.remove(first)
    assert take_all(turns) == [second]
    assert not turns.remove(second)


@settings(max_examples=200)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(1, 4))
def test_callers_that_always_have_a_frame_have_equal_shares(windows: list[int], depth: int) -> None:
    """Whatever their windows, where the network takes the least recently served first."""
    turns: Turns[FrameInFlight] = Turns(depth=depth)
    callers = [caller_with(turns, frames, max_in_progress=depth) for frames in windows]
    served: Counter[Caller] = Counter()
    prepared: list[FrameInFlight] = []
    for step in range(1, 20 * len(callers) + 1):
        prepared += take_all(turns)
        frame = min(prepared, key=lambda each: each.caller.last_turn)
        prepared.remove(frame)
        frame.caller.last_turn = step
        served[frame.caller] += 1
        turns.finish(frame)
        turns.add(frame_of(frame.caller))
    counts = [served[caller] for caller in callers]
    assert max(counts) - min(counts) <= 2


def test_waiting_frames_are_counted() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=1)
    caller_with(turns, 3)
    newest = Caller("camera", max_in_progress=1, keeps_newest=True)
    frames = [frame_of(newest) for _ in range(3)]
    for frame in frames:
        turns.add(frame)
    assert turns.waiting == 3 + 1
    taken = take_all(turns)
    assert turns.waiting == 4 - len(taken) == 2
    for frame in [*frames, *taken]:
        turns.remove(frame)
    assert turns.waiting == 2
    for frame in taken:
        turns.finish(frame)
    while taken := take_all(turns):
        for frame in taken:
            turns.finish(frame)
    assert turns.waiting == 0


def test_a_flip_test_uses_two_turns() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    flips = [False, True, False, True]
    callers = [caller_with(turns, 3, max_in_progress=100, flip_test=flip) for flip in flips]
    served = [callers.index(frame.caller) for frame in take_all(turns)]
    # First all that have none in progress.
    assert served == [*(0, 2, 1, 3), *(0, 2, 0, 2, 1, 3), *(1, 3)]


def test_a_flip_test_waits_for_nobody_if_it_is_alone() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=100)
    caller = caller_with(turns, 3, max_in_progress=100, flip_test=True)
    assert [frame.caller for frame in take_all(turns)] == [caller] * 3


class Served:
    """Runs the frames of `Turns` in the order of a gate of capacity 1, and counts the runs."""

    def __init__(self, turns: Turns[FrameInFlight]) -> None:
        self.runs: Counter[Caller] = Counter()
        self._turns = turns
        self._gate = NetworkGate(1)

    def run_next(self) -> FrameInFlight:
        waiting = self._gate._waiters
        waiting += [_Waiter(frame, frame.network_runs) for frame in take_all(self._turns)]
        waiter = self._gate._next_waiter()
        waiting.remove(waiter)
        frame = waiter.frame
        assert isinstance(frame, FrameInFlight)
        self.runs[frame.caller] += frame.network_runs
        self._turns.finish(frame)
        return frame


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=2, max_size=12),
    st.integers(1, 4),
)
def test_flip_tests_have_no_more_than_their_share(
    streams: list[tuple[bool, int]], depth: int
) -> None:
    """And hardly less, although those of a small window wait here and for the network."""
    turns: Turns[FrameInFlight] = Turns(depth=depth)
    callers = [
        caller_with(turns, window, max_in_progress=depth, flip_test=flip)
        for flip, window in streams
    ]
    served = Served(turns)
    for _ in range(20 * len(callers)):
        caller = served.run_next().caller
        turns.add(frame_of(caller, flip_test=streams[callers.index(caller)][0]))
    mean = sum(served.runs.values()) / len(callers)
    runs = [served.runs[caller] for caller in callers]
    flips = [each for each, (flip, _) in zip(runs, streams, strict=True) if flip]
    assert max(flips, default=0) <= mean + 4, runs
    assert min(runs) >= 0.7 * mean - 4, runs


def test_named_shares_are_by_weight_in_runs_of_the_network() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=2)
    heavy = caller_with(turns, 200, flip_test=True, share=Share("heavy", 3.0))
    light = caller_with(turns, 200, share=Share("light", 1.0))
    served = Served(turns)
    for _ in range(100):
        served.run_next()
    assert served.runs[light] > 30
    assert abs(served.runs[heavy] - 3 * served.runs[light]) <= 6


def test_runs_that_wait_are_counted() -> None:
    turns: Turns[FrameInFlight] = Turns(depth=1)
    caller = Caller("peer", max_in_progress=1)
    flip, plain = frame_of(caller, flip_test=True), frame_of(caller)
    turns.add(plain)
    turns.add(flip)
    assert (turns.waiting, turns.waiting_runs) == (2, 3)
    turns.take()
    assert (turns.waiting, turns.waiting_runs) == (1, 2)
    turns.remove(flip)
    assert (turns.waiting, turns.waiting_runs) == (0, 0)
    camera = Caller("camera", max_in_progress=1, keeps_newest=True)
    for _ in range(3):
        turns.add(frame_of(camera, flip_test=True))
    assert (turns.waiting, turns.waiting_runs) == (1, 2)
