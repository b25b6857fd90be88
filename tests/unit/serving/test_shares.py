from __future__ import annotations

from collections import Counter

from posewire.v1.image_pb2 import Image
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.access.caller import Caller
from posewire_server.serving.access.shares import Share, ShareClock
from posewire_server.serving.frames.frame_in_flight import FrameInFlight
from posewire_server.serving.scheduling.turns import Turns

DEPTH = 3


def frame_of(caller: Caller) -> FrameInFlight:
    return FrameInFlight(caller, Image(), EstimateOptions(), on_settled=lambda: None)


def callers_of(share: Share, count: int) -> list[Caller]:
    return [Caller(share.name, max_in_progress=DEPTH, share=share) for _ in range(count)]


def turns_of(callers: list[Caller], *, turns: int) -> Counter[str]:
    """Keep two frames of each caller waiting, and let a network run them in the gate's order."""
    queue: Turns[FrameInFlight] = Turns(depth=DEPTH)
    for caller in callers:
        for _ in range(2):
            queue.add(frame_of(caller))
    network = ShareClock()
    started: list[FrameInFlight] = []
    served: Counter[str] = Counter()
    while served.total() < turns:
        while (frame := queue.take()) is not None:
            started.append(frame)
            queue.add(frame_of(frame.caller))
        frame = min(started, key=lambda each: network.start(each.caller.share.name))
        network.charge(frame.caller.share)
        started.remove(frame)
        queue.finish(frame)
        served[frame.caller.share.name] += 1
    return served


def test_shares_get_turns_by_weight_whatever_their_callers() -> None:
    heavy, light, half = Share("heavy", 4), Share("light", 1), Share("half", 0.5)
    callers = [*callers_of(heavy, 1), *callers_of(light, 5), *callers_of(half, 2)]
    served = turns_of(callers, turns=550)
    assert abs(served["heavy"] - 400) <= 8
    assert abs(served["light"] - 100) <= 8
    assert abs(served["half"] - 50) <= 8


def test_what_a_share_leaves_goes_to_the_others() -> None:
    heavy, light = Share("heavy", 100), Share("light", 1)
    assert turns_of(callers_of(light, 2), turns=50) == {"light": 50}
    assert turns_of(callers_of(heavy, 1) + callers_of(light, 1), turns=300)["light"] >= 2


def test_a_share_that_was_idle_does_not_catch_up() -> None:
    clock, busy, idle = ShareClock(), Share("busy"), Share("idle")
    for _ in range(100):
        clock.charge(busy)
    clock.charge(idle)
    assert clock.start("idle") >= clock.start("busy")


def test_a_changed_weight_counts_from_the_next_turn_on() -> None:
    clock, share = ShareClock(), Share("a", 1)
    clock.charge(share)
    share.weight = 4
    before = clock.start("a")
    clock.charge(share)
    assert clock.start("a") - before == 0.25


def test_the_first_share_is_the_earliest_and_of_several_the_first_given() -> None:
    clock = ShareClock()
    assert clock.first([]) is None
    assert clock.first(["b", "a"]) == "b"
    clock.charge(Share("b", 0.5))
    assert clock.first(["b", "a"]) == "a"
    clock.charge(Share("a", 1))
    assert clock.first(["b", "a"]) == "a"  # starts at 1, b at 2
    assert clock.first(["b"]) == "b"
