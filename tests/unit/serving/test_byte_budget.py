from __future__ import annotations

import asyncio

import pytest

from posewire_server.serving.access.caller import Caller
from posewire_server.serving.scheduling.byte_budget import ByteBudget

pytestmark = pytest.mark.anyio


def caller() -> Caller:
    return Caller("peer", max_in_progress=1)


async def test_one_caller_holds_a_quarter_of_the_budget() -> None:
    budget, greedy = ByteBudget(400), caller()
    holds = [budget.take(greedy, 10) for _ in range(11)]
    assert [hold is not None for hold in holds] == [True] * 10 + [False]
    assert budget.take(caller(), 100)


async def test_a_caller_that_holds_nothing_has_room_whatever_others_hold() -> None:
    budget = ByteBudget(400)
    for _ in range(4):
        assert budget.take(caller(), 100)
    late = caller()
    assert budget.take(late, 1000)
    assert budget.take(late, 1) is None


async def test_bytes_are_given_back_once() -> None:
    budget, greedy = ByteBudget(400), caller()
    hold = budget.take(greedy, 100)
    assert hold is not None
    assert budget.take(greedy, 100) is None
    hold.release()
    hold.release()
    assert greedy.held_bytes == 0
    assert budget.take(greedy, 100)


async def test_waiting_ends_when_there_is_room() -> None:
    budget, greedy = ByteBudget(400), caller()
    hold = budget.take(greedy, 100)
    assert hold is not None
    waiting = [asyncio.create_task(budget.wait(greedy, 60)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    hold.release()
    first = await asyncio.wait_for(waiting[0], 5)
    assert not waiting[1].done()
    first.release()
    await asyncio.wait_for(waiting[1], 5)


@pytest.fixture
async def trimmed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when free memory is returned to the system, which happens at once."""
    trimmed = asyncio.Event()
    loop = asyncio.get_running_loop()
    module = "posewire_server.serving.scheduling.byte_budget"
    monkeypatch.setattr(f"{module}._TRIM_SECS", 0.0)
    monkeypatch.setattr(
        f"{module}.return_free_memory", lambda: loop.call_soon_threadsafe(trimmed.set)
    )
    return trimmed


async def test_free_memory_goes_back_to_the_system_after_a_peak(trimmed: asyncio.Event) -> None:
    budget = ByteBudget(1 << 30)
    small, large = budget.take(caller(), 1 << 20), budget.take(caller(), 200 << 20)
    assert small is not None
    assert large is not None
    small.release()
    await asyncio.sleep(0.05)
    assert not trimmed.is_set()
    large.release()
    await asyncio.wait_for(trimmed.wait(), 5)


async def test_the_peak_of_one_caller_suffices(trimmed: asyncio.Event) -> None:
    budget, greedy = ByteBudget(512 << 20), caller()
    holds = []
    while (hold := budget.take(greedy, 24 << 20)) is not None:
        holds.append(hold)
    for each in holds:
        each.release()
    await asyncio.wait_for(trimmed.wait(), 5)
