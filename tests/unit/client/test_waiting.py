from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from posewire_client import UnavailableError, Waiting
from posewire_client.waiting import CallWait, WaitReporter
from tests.reference.fake_clock import FakeClock

GONE = UnavailableError("gone")


class Reports:
    """A reporter, and what it has reported."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.seen: list[tuple[float, float] | None] = []
        self.reporter = WaitReporter("host:1", self._on_wait, clock=self.clock)

    def call(self) -> CallWait:
        return CallWait(self.reporter)

    def _on_wait(self, waiting: Waiting | None) -> None:
        if waiting is None:
            self.seen.append(None)
        else:
            assert waiting.error is GONE
            self.seen.append((waiting.waited_secs, waiting.delay_secs))


def test_each_pause_and_the_end_are_reported() -> None:
    reports = Reports()
    call = reports.call()
    call.begin(GONE, 0.2)
    reports.clock.now += 3
    call.begin(GONE, 0.4)
    call.end()
    call.end()  # every further response
    assert reports.seen == [(0, 0.2), (3, 0.4), None]


def test_a_call_that_never_waits_reports_nothing() -> None:
    reports = Reports()
    reports.call().end()
    assert reports.seen == []


def test_a_second_outage_counts_anew() -> None:
    reports = Reports()
    call = reports.call()
    call.begin(GONE, 0.2)
    call.end()
    reports.clock.now += 100
    call.begin(GONE, 0.2)
    assert reports.seen == [(0, 0.2), None, (0, 0.2)]


def test_several_calls_wait_as_one() -> None:
    reports = Reports()
    first, second = reports.call(), reports.call()
    first.begin(GONE, 0.2)
    reports.clock.now += 1
    second.begin(GONE, 0.3)
    first.end()
    second.end()
    assert reports.seen == [(0, 0.2), (1, 0.3), None]


def test_a_long_wait_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reports = Reports()
    call = reports.call()
    call.begin(GONE, 0.2)
    assert caplog.messages == []
    for _ in range(5):
        reports.clock.now += 1
        call.begin(GONE, 0.4)
    call.end()
    assert caplog.messages == [
        "waiting for the server at host:1: UNAVAILABLE: gone",
        "waited 5.0 s for the server at host:1",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_callback_that_fails_is_logged_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(waiting: Waiting | None) -> None:
        raise ValueError("a bug")

    callback: Callable[[Waiting | None], None] = fail
    call = CallWait(WaitReporter("host:1", callback))
    call.begin(GONE, 0.1)
    call.end()
    assert caplog.messages == ["on_wait raised an exception"] * 2
