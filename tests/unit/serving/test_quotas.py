from __future__ import annotations

import asyncio

import pytest

from posewire_server.serving.access.quotas import Account, Quota
from posewire_server.serving.errors import BusyError, PermissionDeniedError
from tests.reference.fake_clock import FakeClock


def account(clock: FakeClock, **quota: float) -> Account:
    return Account("camera", Quota(**quota, source="tokens file"), clock=clock)


def test_a_stream_beyond_the_limit_is_refused_with_the_limit_and_a_delay() -> None:
    camera = Account("camera", Quota(max_streams=2, source="tokens file"))
    with camera.stream():
        with camera.stream(), pytest.raises(BusyError) as caught, camera.stream():
            pass
        with camera.stream():
            pass
    error = caught.value
    assert str(error) == "caller camera: max_streams is 2 (tokens file); retry in 1 s"
    assert error.reason == "STREAM_LIMIT_REACHED"
    assert error.metadata == {"caller": "camera", "limit": "max_streams", "value": "2"}
    assert error.retry_secs == 1.0


def test_no_streams_at_all_is_a_matter_of_permission() -> None:
    camera = Account("camera", Quota(max_streams=0))
    with pytest.raises(PermissionDeniedError) as caught, camera.stream():
        pass
    assert caught.value.reason == "STREAMS_NOT_ALLOWED"


def test_the_rate_allows_a_second_of_frames_at_once_and_then_one_by_one() -> None:
    clock = FakeClock()
    camera = account(clock, max_rate=4)
    assert [camera.take_frame() for _ in range(5)] == [True] * 4 + [False]
    clock.advance(0.25)
    assert [camera.take_frame() for _ in range(2)] == [True, False]
    clock.advance(3600)
    assert [camera.take_frame() for _ in range(5)] == [True] * 4 + [False]


def test_a_call_beyond_the_rate_learns_when_to_come_back() -> None:
    clock = FakeClock()
    camera = account(clock, max_rate=0.5)
    camera.check_rate()
    clock.advance(0.5)
    with pytest.raises(BusyError) as caught:
        camera.check_rate()
    error = caught.value
    assert error.retry_secs == pytest.approx(1.5)
    assert error.reason == "RATE_LIMIT_REACHED"
    assert error.metadata == {"caller": "camera", "limit": "max_rate", "value": "0.5"}
    clock.advance(error.retry_secs)
    camera.check_rate()


def test_streams_wait_for_the_rate_one_after_the_other() -> None:
    async def test() -> list[float]:
        loop = asyncio.get_running_loop()
        camera = Account("camera", Quota(max_rate=20), clock=loop.time)
        for _ in range(20):
            await camera.wait_for_frame()
        began = loop.time()
        await asyncio.gather(*(camera.wait_for_frame() for _ in range(4)))
        return loop.time() - began

    assert asyncio.run(test()) >= 0.15  # at least: a busy machine may take longer


def test_a_stream_that_ends_while_it_waits_gives_its_frame_back() -> None:
    async def test() -> None:
        clock = FakeClock()
        camera = account(clock, max_rate=1)
        assert camera.take_frame()
        waiting = asyncio.create_task(camera.wait_for_frame())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        clock.advance(1)
        assert camera.take_frame()

    asyncio.run(test())


def test_a_raised_rate_reaches_a_stream_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    camera = account(clock, max_rate=0.001)
    slept: list[float] = []

    async def sleep(secs: float) -> None:
        slept.append(secs)
        clock.advance(secs)
        camera.change(Quota(max_rate=10))

    assert camera.take_frame()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(camera.wait_for_frame())
    assert 1.0 <= sum(slept) < 1.2
    assert not camera.take_frame()


@pytest.mark.parametrize("rate", [0.25, None])
def test_streams_that_wait_keep_their_order(
    monkeypatch: pytest.MonkeyPatch, rate: float | None
) -> None:
    clock = FakeClock()
    camera = account(clock, max_rate=0.5)
    ended: list[int] = []

    async def wait(number: int) -> None:
        await camera.wait_for_frame()
        ended.append(number)

    async def test() -> list[int]:
        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await yield_to_others(0)
        camera.change(Quota(max_rate=rate))
        await asyncio.gather(*tasks)
        return ended

    yield_to_others = asyncio.sleep

    async def sleep(secs: float) -> None:
        await yield_to_others(0)
        clock.advance(secs / 3)

    assert camera.take_frame()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert asyncio.run(test()) == [0, 1, 2]


def test_a_changed_quota_applies_at_once() -> None:
    clock = FakeClock()
    camera = account(clock)
    assert all(camera.take_frame() for _ in range(1000))
    camera.change(Quota(weight=2, max_rate=2, max_streams=1))
    assert [camera.take_frame() for _ in range(3)] == [True, True, False]
    assert camera.share.weight == 2
    with camera.stream(), pytest.raises(BusyError), camera.stream():
        pass
