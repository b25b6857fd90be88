from __future__ import annotations

import asyncio

from posewire_server.serving.admission import Admission


def test_there_are_as_many_places_as_work_and_wait() -> None:
    async def test() -> None:
        admission = Admission(at_work=2, waiting=1)
        assert [admission.try_enter() for _ in range(4)] == [True, True, True, False]
        admission.leave()
        assert [admission.try_enter() for _ in range(2)] == [True, False]

    asyncio.run(test())


def test_who_cannot_enter_waits_until_somebody_leaves() -> None:
    async def test() -> None:
        admission = Admission(at_work=1, waiting=0)
        await admission.enter()
        entering = [asyncio.create_task(admission.enter()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in entering)
        admission.leave()
        await asyncio.wait_for(entering[0], 5)
        assert not entering[1].done()
        admission.leave()
        await asyncio.wait_for(entering[1], 5)
        assert not admission.try_enter()

    asyncio.run(test())


def test_turns_come_in_the_order_of_asking_and_who_is_cancelled_loses_his() -> None:
    async def test() -> None:
        admission = Admission(at_work=1, waiting=3)
        turns: list[int] = []

        async def work(number: int) -> None:
            async with admission.turn:
                turns.append(number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(work(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert turns == [0, 1, 3]

    asyncio.run(test())
