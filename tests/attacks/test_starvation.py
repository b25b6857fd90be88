"""One caller must not take the turns of others. Shares are ratios within one run."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from posewire_client import AsyncClient, Delivery, Result, Skipped, SkipReason
from tests.reference.server_process import ServerProcess

pytestmark = pytest.mark.anyio

IMAGE = np.full((64, 64, 3), 7, np.uint8)
WARM_UP = 20
Report = Callable[[str], None]


class Greedy:
    """Lossless streams, each with its window always full, that count their results."""

    def __init__(self, server: ServerProcess, *, windows: list[int]) -> None:
        self.counts = [0] * len(windows)
        self._is_stopped = False
        self._clients = [AsyncClient(server.address) for _ in windows]
        self._windows = windows

    async def __aenter__(self) -> Greedy:
        self._running = asyncio.gather(*map(self._saturate, range(len(self._windows))))
        while min(self.counts) == 0 or sum(self.counts) < WARM_UP:
            await asyncio.sleep(0.01)
        self.counts = [0] * len(self._windows)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_stopped = True
        await self._running
        await asyncio.gather(*(client.close() for client in self._clients))

    async def wait_for(self, results: int) -> None:
        while sum(self.counts) < results:
            await asyncio.sleep(0.01)

    async def _saturate(self, i: int) -> None:
        async def frames() -> AsyncIterator[np.ndarray]:
            while not self._is_stopped:
                yield IMAGE

        async for outcome in self._clients[i].stream(frames(), window=self._windows[i]):
            assert isinstance(outcome, Result), outcome
            self.counts[i] += 1


async def test_windows_do_not_buy_shares(server: ServerProcess, report: Report) -> None:
    async with Greedy(server, windows=[8, 1]) as greedy:
        await greedy.wait_for(200)
        counts = greedy.counts
    report(f"results of windows 8 and 1: {counts}")
    assert min(counts) >= 0.7 * sum(counts) / 2


async def test_greedy_streams_have_equal_shares(server: ServerProcess, report: Report) -> None:
    async with Greedy(server, windows=[8] * 8) as greedy:
        await greedy.wait_for(400)
        counts = greedy.counts
    report(f"results of 8 greedy streams: {counts}")
    assert max(counts) - min(counts) <= 0.2 * sum(counts) / len(counts)


@pytest.mark.parametrize(("streams", "interval_secs"), [(8, 0.2), (24, 1.2)])
async def test_a_polite_stream_waits_one_turn(
    server: ServerProcess, report: Report, streams: int, interval_secs: float
) -> None:
    """Polite: it sends less than its share would allow."""
    waits = []
    async with Greedy(server, windows=[8] * streams) as greedy, AsyncClient(server.address) as own:
        began = time.perf_counter()

        async def frames() -> AsyncIterator[np.ndarray]:
            for _ in range(9):
                sent.append(time.perf_counter())
                yield IMAGE
                await asyncio.sleep(interval_secs)

        sent: list[float] = []
        async for _ in own.stream(frames(), window=8):
            waits.append(time.perf_counter() - sent[len(waits)])
        # What one turn of everybody takes, from the throughput of the same run.
        turn = (streams + 1) * (time.perf_counter() - began) / sum(greedy.counts)
    median = statistics.median(waits)
    report(f"p50 {1e3 * median:.0f} ms beside {streams}; one fair turn {1e3 * turn:.0f} ms")
    assert median <= 1.5 * turn + 0.02


async def test_latest_has_its_share_beside_lossless(server: ServerProcess, report: Report) -> None:
    results = skipped = 0
    async with Greedy(server, windows=[8]) as greedy, AsyncClient(server.address) as own:

        async def frames() -> AsyncIterator[np.ndarray]:
            while sum(greedy.counts) < 100:
                yield IMAGE
                await asyncio.sleep(0.005)

        async for outcome in own.stream(frames(), delivery=Delivery.LATEST):
            results += isinstance(outcome, Result)
            skipped += isinstance(outcome, Skipped)
        share = results / (results + sum(greedy.counts))
    report(f"{results} results, {skipped} skipped, {100 * share:.0f} % of the network")
    assert share >= 0.7 / 2


async def test_unary_calls_and_latest_are_served_beside_nine_streams(
    server: ServerProcess, report: Report
) -> None:
    async with Greedy(server, windows=[8] * 9) as greedy, AsyncClient(server.address) as own:
        calls = [await own.estimate(IMAGE) for _ in range(10)]
        before = sum(greedy.counts)

        async def frames() -> AsyncIterator[np.ndarray]:
            while sum(greedy.counts) < before + 180:
                yield IMAGE
                await asyncio.sleep(0.01)

        outcomes = [each async for each in own.stream(frames(), delivery=Delivery.LATEST)]
        results = sum(isinstance(each, Result) for each in outcomes)
        average = (sum(greedy.counts) - before) / 9
    report(f"{len(calls)} of 10 calls; {results} LATEST results, {average:.0f} of each stream")
    assert results >= 0.7 * average


async def test_no_inference_starts_on_a_frame_older_than_its_maximum_age(
    server: ServerProcess, report: Report
) -> None:
    """Beside the greedy streams, a frame that is ready waits for the network for longer."""
    age_secs, measuring_secs = 0.05, 0.05
    ages: list[float] = []
    too_old = 0
    async with AsyncClient(server.address, timeout_secs=60) as own:
        alone = asyncio.Event()

        async def frames() -> AsyncIterator[np.ndarray]:
            while not (alone.is_set() and ages):
                yield IMAGE
                await asyncio.sleep(0.01)

        async def stream() -> None:
            nonlocal too_old
            async for outcome in own.stream(
                frames(), delivery=Delivery.LATEST, max_frame_age_secs=age_secs
            ):
                if isinstance(outcome, Result):
                    ages.append(age_at_inference(outcome))
                else:
                    assert isinstance(outcome, Skipped)
                    too_old += outcome.reason == SkipReason.TOO_OLD

        async with Greedy(server, windows=[8] * 8) as greedy:
            streaming = asyncio.create_task(stream())
            await greedy.wait_for(60)
        alone.set()
        await asyncio.wait_for(streaming, 60)
    report(
        f"oldest of {len(ages)} frames {1e3 * max(ages):.0f} ms when inference started, "
        f"{too_old} too old; maximum {1e3 * age_secs:.0f} ms"
    )
    assert max(ages) <= age_secs + measuring_secs
    assert too_old > 0


def age_at_inference(result: Result) -> float:
    times = result.stage_times
    assert times is not None
    before = (times.image_decode_secs, times.queue_secs, times.letterbox_secs)
    return sum(each or 0.0 for each in before)
