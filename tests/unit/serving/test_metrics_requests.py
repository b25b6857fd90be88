"""Requests for metrics, and answers that come late."""

from __future__ import annotations

import asyncio
import os

from posewire_server.serving.workers.metrics_requests import MetricsRequests


def test_an_answer_to_a_request_that_was_given_up_is_not_that_to_the_next() -> None:
    async def test() -> None:
        sent: list[tuple[int, int]] = []
        requests = MetricsRequests(lambda number, file: not sent.append((number, os.dup(file))))
        given_up = asyncio.create_task(requests.ask())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        asked = asyncio.create_task(requests.ask())
        await asyncio.sleep(0)
        (late, _), (number, file) = sent
        requests.answer(late)
        await asyncio.sleep(0)
        assert not asked.done()
        os.write(file, b"text")
        requests.answer(number)
        requests.answer(number)
        assert await asked == b"text"
        for _, each in sent:
            os.close(each)

    asyncio.run(test())


def test_a_worker_that_cannot_be_asked_has_no_metrics() -> None:
    requests = MetricsRequests(lambda _, __: False)
    assert asyncio.run(requests.ask()) == b""


def test_a_request_ends_with_its_worker() -> None:
    async def test() -> bytes:
        requests = MetricsRequests(lambda _, __: True)
        asked = asyncio.create_task(requests.ask())
        await asyncio.sleep(0)
        requests.end()
        return await asked

    assert asyncio.run(test()) == b""


def test_a_worker_that_stalls_is_asked_a_few_times_only() -> None:
    async def test() -> None:
        sent: list[int] = []
        requests = MetricsRequests(lambda number, _: not sent.append(number))

        async def ask() -> asyncio.Task[bytes]:
            asked = asyncio.create_task(requests.ask())
            await asyncio.sleep(0)
            return asked

        given_up = [await ask() for _ in range(100)]
        assert len(sent) < 20
        for each in given_up:
            each.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert await (await ask()) == b""
        for number in list(sent):
            requests.answer(number)
        asked = await ask()
        requests.answer(sent[-1])
        assert await asked == b""
        assert len(sent) < 20

    asyncio.run(test())
