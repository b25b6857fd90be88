from __future__ import annotations

import math

import pytest

from posewire_client import (
    CallCancelledError,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    StatusError,
    UnavailableError,
)
from posewire_client.backoff import Attempts, Backoff, may_reopen
from tests.reference.fake_clock import FakeClock


def test_delays_double_up_to_ten_seconds() -> None:
    backoff = Backoff(60, draw=lambda: 1.0, clock=FakeClock())
    delays = [backoff.next_delay() for _ in range(8)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_delays_have_jitter() -> None:
    assert Backoff(60, draw=lambda: 0.25).next_delay() == 0.05


def test_the_last_attempt_is_at_the_end_of_the_time() -> None:
    clock = FakeClock()
    backoff = Backoff(1.0, draw=lambda: 1.0, clock=clock)
    clock.advance(1000)  # before the first failure
    delays = []
    while (delay := backoff.next_delay()) is not None:
        delays.append(delay)
        clock.advance(delay)
    assert delays == pytest.approx([0.2, 0.4, 0.4])


def test_the_time_includes_that_of_the_attempts() -> None:
    clock = FakeClock()
    backoff = Backoff(1.0, draw=lambda: 1.0, clock=clock)
    assert backoff.next_delay() == 0.2
    clock.advance(20)  # an attempt to connect may take as long
    assert backoff.next_delay() is None


def test_no_time_is_no_retry() -> None:
    assert Backoff(0, clock=FakeClock()).next_delay() is None


def test_a_success_resets_the_delays_and_the_time() -> None:
    clock = FakeClock()
    backoff = Backoff(1.0, draw=lambda: 1.0, clock=clock)
    assert [backoff.next_delay(), backoff.next_delay()] == [0.2, 0.4]
    assert not backoff.is_fresh
    backoff.reset()
    assert backoff.is_fresh
    clock.advance(1000)
    assert [backoff.next_delay(), backoff.next_delay()] == [0.2, 0.4]


def test_the_delay_is_at_least_what_the_server_asks_for() -> None:
    backoff = Backoff(60, draw=lambda: 1.0, clock=FakeClock())
    assert backoff.next_delay(5.0) == 5.0
    assert backoff.next_delay(0.1) == 0.4


def test_a_delay_that_the_time_does_not_allow_is_not_waited_for() -> None:
    assert Backoff(4.0, clock=FakeClock()).next_delay(5.0) is None


@pytest.mark.parametrize("secs", [-1, math.nan])
def test_a_time_to_retry_must_not_be_negative(secs: float) -> None:
    with pytest.raises(ValueError, match="retry_for_secs is"):
        Backoff(secs)


def test_attempts_share_one_deadline() -> None:
    clock = FakeClock()
    attempts = Attempts(Backoff(60, draw=lambda: 1.0), timeout_secs=1.0, clock=clock)
    assert attempts.remaining_secs() == 1.0
    clock.advance(0.5)
    assert attempts.remaining_secs() == 0.5
    assert attempts.delay_after(UnavailableError("busy")) == 0.2
    clock.advance(0.2)
    # The next wait would be 0.4 seconds, and only 0.3 are left.
    with pytest.raises(UnavailableError, match="still busy"):
        attempts.delay_after(UnavailableError("still busy"))


@pytest.mark.parametrize("secs", [0, -1, math.inf, math.nan])
def test_a_timeout_must_be_positive_and_finite(secs: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        Attempts(Backoff(60), timeout_secs=secs)


@pytest.mark.parametrize(
    ("error", "is_retried", "is_reopened"),
    [
        (UnavailableError("gone"), True, True),
        (ResourceExhaustedError("busy", retry_after_secs=0.0), True, True),
        (ResourceExhaustedError("message too large"), False, False),
        (CallCancelledError("the server was stopping"), True, True),
        (InternalError("reset"), False, True),
        (InternalError("defect", reason="INTERNAL", from_server=True), False, False),
        (InvalidArgumentError("wrong"), False, False),
    ],
)
def test_which_errors_are_transient(
    error: StatusError, is_retried: bool, is_reopened: bool
) -> None:
    assert may_reopen(error) is is_reopened
    attempts = Attempts(Backoff(60, draw=lambda: 0.0), timeout_secs=1.0)
    if is_retried:
        assert attempts.delay_after(error) == 0
    else:
        with pytest.raises(type(error)):
            attempts.delay_after(error)
