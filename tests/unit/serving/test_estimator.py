from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator

import pytest

from posewire.v1 import stream_pb2
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.access.quotas import Account, Quota
from posewire_server.serving.errors import BusyError
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.frames.frame_in_flight import FrameInFlight, Processed
from tests.reference.numbered_frames import (
    HELD,
    frame_request,
    holding,
    is_answer_to,
    numbered_image,
    person_of,
)
from tests.reference.painting_runner import HeldRunner, PaintingRunner
from tests.reference.session_stream import (
    Stream,
    begun,
    painted_estimator,
    run,
    settled,
    skip_of,
)

SERVICE_SECS = 0.01


@pytest.fixture
def held() -> Iterator[HeldRunner]:
    runner = HeldRunner(person_of)
    yield runner
    runner.release()


def busy_runner() -> PaintingRunner:
    return PaintingRunner(person_of, delay=lambda: SERVICE_SECS)


async def estimate(
    estimator: Estimator, number: int, *, peer: str = "a", size: int = 1
) -> Processed:
    return await estimator.estimate(
        numbered_image(number), EstimateOptions(), account=Account(peer), size=size
    )


class Shares:
    """Saturates an estimator with streams that keep their windows full, and counts results."""

    def __init__(self, estimator: Estimator, windows: list[int], *, flip_tests: int = 0) -> None:
        """The first `flip_tests` streams ask for a flip test."""
        self.counts = [0] * len(windows)
        self._streams = [
            Stream(estimator, window=window, options=EstimateOptions(flip_test=i < flip_tests))
            for i, window in enumerate(windows)
        ]
        self._windows = windows
        self._is_stopped = False

    async def run(self, total: int | None = None) -> None:
        """Until there are that many results, or `stop` is called."""
        sending = [self._saturate(i, total) for i in range(len(self._streams))]
        await asyncio.gather(*sending)
        await asyncio.gather(*(stream.abandon() for stream in self._streams))

    def stop(self) -> None:
        self._is_stopped = True

    async def _saturate(self, i: int, total: int | None) -> None:
        stream = self._streams[i]
        await stream.next()
        stream.send(*(frame_request(number) for number in range(1, self._windows[i] + 1)))
        for number in itertools.count(self._windows[i] + 1):
            outcome = await stream.outcome()
            if self._is_stopped or sum(self.counts) == total:
                return
            assert outcome.HasField("result"), outcome
            self.counts[i] += 1
            stream.send(frame_request(number))


def test_streams_share_alike_whatever_their_windows() -> None:
    async def test() -> None:
        shares = Shares(painted_estimator(busy_runner()), [8, 1])
        await shares.run(120)
        assert min(shares.counts) >= 0.7 * sum(shares.counts) / 2, shares.counts

    run(test)


def test_greedy_streams_get_equal_shares() -> None:
    async def test() -> None:
        shares = Shares(painted_estimator(busy_runner()), [8] * 8)
        await shares.run(240)
        assert max(shares.counts) - min(shares.counts) <= 0.2 * sum(shares.counts) / 8, (
            shares.counts
        )

    run(test)


def test_a_stream_of_flip_tests_gets_half_as_many_frames() -> None:
    async def test() -> None:
        runner = busy_runner()
        shares = Shares(painted_estimator(runner), [8, 8, 8], flip_tests=1)
        await shares.run(100)
        flips, *others = shares.counts
        assert 0.8 * 20 <= flips <= 1.2 * 20, shares.counts
        assert min(others) >= 0.8 * 40, shares.counts
        assert len(runner.images) >= sum(others) + 2 * flips

    run(test)


def test_latest_beside_lossless_gets_half_and_always_its_newest_frame() -> None:
    async def test() -> None:
        estimator = painted_estimator(busy_runner())
        greedy = Shares(estimator, [8])
        camera = Stream(estimator, latest=True)
        await camera.next()
        running = asyncio.create_task(greedy.run(60))
        results = sent = 0
        while not running.done():
            sent += 1
            camera.send(frame_request(sent))
            await asyncio.sleep(SERVICE_SECS / 3)
        camera.close()
        outcomes = [await camera.outcome() for _ in range(sent)]
        results = sum(each.HasField("result") for each in outcomes)
        skips = {skip_of(each) for each in outcomes if not each.HasField("result")}
        assert skips == {"SUPERSEDED"}
        assert results >= 0.7 * 60, (results, sent)

    run(test)


def test_unary_calls_are_answered_beside_streams_that_saturate_the_network() -> None:
    async def test() -> None:
        estimator = painted_estimator(busy_runner())
        greedy = Shares(estimator, [8] * 9)
        running = asyncio.create_task(greedy.run())
        await asyncio.sleep(10 * SERVICE_SECS)
        before = sum(greedy.counts)
        for number in range(1, 11):
            processed = await estimate(estimator, number)
            result = stream_pb2.FrameResult.FromString(processed.estimate.poses.data)
            assert is_answer_to(number, result.poses[0].keypoints[0].x)
        # Ten fair turns beside nine streams are a hundred frames.
        assert sum(greedy.counts) - before <= 1.5 * 100
        greedy.stop()
        await running

    run(test)


@pytest.mark.parametrize("asks", ["streams of one frame", "unary calls"])
def test_a_caller_that_is_always_new_has_no_more_than_its_share(asks: str) -> None:
    async def test() -> None:
        estimator = painted_estimator(busy_runner())
        greedy = Shares(estimator, [8] * 3)
        answers = 0

        async def ask() -> None:
            nonlocal answers
            while True:
                if asks == "unary calls":
                    await estimate(estimator, 1)
                else:
                    stream = Stream(estimator)
                    await stream.next()
                    stream.send(frame_request(1))
                    await stream.outcome()
                    await stream.abandon()
                answers += 1

        # One call at a time, or the peer is never without a caller.
        askers = 1 if asks == "unary calls" else 3
        asking = [asyncio.create_task(ask()) for _ in range(askers)]
        await greedy.run(60)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert answers / askers <= 1.3 * 60 / 3, answers

    run(test)


def test_a_peer_has_no_more_images_waiting_than_it_may(held: HeldRunner) -> None:
    async def test() -> None:
        estimator = painted_estimator(held, waiting=2)
        room = estimator.model.pipeline.max_in_progress + 2
        calls = [asyncio.create_task(estimate(estimator, number)) for number in range(1, room + 1)]
        await begun(held)
        with pytest.raises(BusyError) as caught:
            await estimate(estimator, 99)
        assert (caught.value.reason, caught.value.retry_secs) == ("QUEUE_FULL", 0.2)
        stranger = asyncio.create_task(estimate(estimator, 100, peer="b"))
        await settled()
        assert not stranger.done()
        held.release()
        await asyncio.gather(*calls, stranger)
        assert await estimate(estimator, 99)

    run(test)


def test_the_delay_of_a_full_queue_grows_with_the_queue() -> None:
    released = threading.Event()

    async def test() -> None:
        runner = PaintingRunner(holding(released), delay=lambda: SERVICE_SECS)
        estimator = painted_estimator(runner, waiting=40)
        room = estimator.model.pipeline.max_in_progress + 40
        await asyncio.gather(*(estimate(estimator, 1) for _ in range(24)))
        calls: list[asyncio.Task[Processed]] = []
        delays = []
        for peer in ("a", "b", "c"):
            calls += [
                asyncio.create_task(estimate(estimator, HELD, peer=peer)) for _ in range(room)
            ]
            await settled()
            with pytest.raises(BusyError) as caught:
                await estimate(estimator, HELD, peer=peer)
            assert caught.value.reason == "QUEUE_FULL"
            delays.append(caught.value.retry_secs)
        for each in calls:
            each.cancel()
        released.set()
        await asyncio.gather(*calls, return_exceptions=True)
        assert 0.2 < delays[0] < delays[1] < delays[2] <= 10

    run(test)


def test_peers_that_wait_are_bounded_and_forgotten_when_they_have_their_answers(
    held: HeldRunner,
) -> None:
    async def test() -> None:
        estimator = painted_estimator(held)
        calls = [
            asyncio.create_task(estimate(estimator, number, peer=f"peer {number}"))
            for number in range(1, 65)
        ]
        await begun(held)
        with pytest.raises(BusyError):
            await estimate(estimator, 65, peer="peer 65")
        calls[-1].cancel()
        await settled()
        calls.append(asyncio.create_task(estimate(estimator, 65, peer="peer 65")))
        await settled()
        held.release()
        await asyncio.gather(*calls, return_exceptions=True)
        for number in range(66, 200):
            assert await estimate(estimator, number, peer=f"peer {number}")

    run(test)


def test_a_cancelled_call_releases_its_image_and_is_not_run(held: HeldRunner) -> None:
    async def test() -> None:
        estimator = painted_estimator(held)
        first = asyncio.create_task(estimate(estimator, 1))
        await begun(held)
        others = [asyncio.create_task(estimate(estimator, number)) for number in range(2, 30)]
        await settled()
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        last = asyncio.create_task(estimate(estimator, 30))
        held.release()
        await asyncio.gather(first, last)
        while estimator.is_busy:
            await asyncio.sleep(0.01)
        assert [image[0, 0, 0] for image in held.images] == [1, 30]

    run(test)


def test_a_flip_test_that_is_cancelled_in_its_first_run_has_no_second(held: HeldRunner) -> None:
    async def test() -> None:
        estimator = painted_estimator(held)
        options = EstimateOptions(flip_test=True)
        image = numbered_image(1)
        call = estimator.estimate(image, options, account=Account("a"), size=1)
        running = asyncio.create_task(call)
        await begun(held)
        running.cancel()
        await asyncio.wait([running])
        held.release()
        assert await estimate(estimator, 2, peer="b")
        assert [image[0, 0, 0] for image in held.images] == [1, 2]

    run(test)


def test_named_callers_share_the_network_by_weight() -> None:
    async def test() -> None:
        estimator = painted_estimator(busy_runner())
        done: list[str] = []
        enough = asyncio.Event()

        def settle(name: str) -> None:
            done.append(name)
            if len(done) == 80:
                enough.set()

        heavy = Account.named("heavy", Quota(weight=3))
        light = Account.named("light", Quota())
        # The light one has more streams, which does not help it.
        callers = [
            estimator.stream_caller(account, latest=False) for account in (heavy, light, light)
        ]
        for caller in callers:
            for number in range(1, 100):
                estimator.submit(
                    FrameInFlight(
                        caller,
                        numbered_image(number),
                        EstimateOptions(),
                        on_settled=lambda name=caller.name: settle(name),
                    )
                )
        await enough.wait()
        estimator.close()
        # 60 if frames are always ready in time, 40 or fewer without weights.
        assert 46 <= done.count("heavy") <= 70

    run(test)
