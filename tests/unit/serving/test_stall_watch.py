from __future__ import annotations

import asyncio
import logging

import pytest

from posewire_server.serving.scheduling.load import ModelLoad, ServiceLoad
from posewire_server.serving.scheduling.stall_watch import StallWatch
from tests.reference.session_stream import PATIENCE_SECS


class Watched:
    """Models that stall when a test says so, and the changes that were reported."""

    def __init__(self, timeout_secs: float | None = 30.0) -> None:
        self.stalled: set[str] = set()
        self.changes: list[bool] = []
        self.watch = StallWatch(
            self._load, timeout_secs=timeout_secs, on_change=self.changes.append
        )

    def check(self, *stalled: str) -> None:
        self.stalled = set(stalled)
        self.watch.check()

    def _load(self) -> ServiceLoad:
        models = {
            name: ModelLoad(waiting=0, busy=1, is_stalled=name in self.stalled)
            for name in ("large", "small")
        }
        return ServiceLoad(0, models)


def test_a_stall_and_its_end_are_reported_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched()
    watched.check()
    assert watched.changes == []
    watched.check("small")
    watched.check("small")
    assert watched.changes == [True]
    watched.check()
    watched.check()
    assert watched.changes == [True, False]
    stalled, recovered = caplog.records
    assert (stalled.levelno, recovered.levelno) == (logging.ERROR, logging.WARNING)
    assert "small has stalled" in stalled.message
    assert "30 s (--stall-timeout)" in stalled.message
    assert recovered.message == "model small has recovered; serving"


def test_health_returns_when_the_last_model_has_recovered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched()
    for stalled in (["small"], ["small", "large"], ["large"]):
        watched.check(*stalled)
    assert watched.changes == [True]
    assert caplog.messages[-1].endswith("; not serving")
    watched.check()
    assert watched.changes == [True, False]


def test_a_timer_checks_until_it_is_stopped() -> None:
    async def test() -> None:
        watched = Watched(timeout_secs=0.004)
        watched.watch.start()
        watched.stalled = {"large"}
        async with asyncio.timeout(PATIENCE_SECS):
            while not watched.changes:
                await asyncio.sleep(0.001)
        watched.watch.stop()
        watched.stalled = set()
        await asyncio.sleep(0.02)
        assert watched.changes == [True]

    asyncio.run(test())


def test_without_a_timeout_nothing_is_checked() -> None:
    async def test() -> None:
        watched = Watched(timeout_secs=None)
        watched.watch.start()
        watched.stalled = {"large"}
        await asyncio.sleep(0.01)
        assert watched.changes == []
        watched.watch.stop()

    asyncio.run(test())
