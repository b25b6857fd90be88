from __future__ import annotations

import math

import pytest

from posewire_client import (
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    StatusError,
    UnavailableError,
)
from posewire_client.backoff import Attempts, Backoff, may_reopen


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_delays_double_up_to_ten_seconds() -> None:
    backoff = Backoff(9, draw=lambda: 1.0)
    delays = [backoff.next_delay() for _ in range(9)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, None]


def test_delays_have_jitter() -> None:
    assert Backoff(3, draw=lambda: 0.25).next_delay() == 0.05


def test_a_success_resets_the_delays() -> None:
    backoff = Backoff(3, draw=lambda: 1.0)
    assert [backoff.next_delay(), backoff.next_delay()] == [0.2, 0.4]
    backoff.reset()
    assert backoff.is_fresh
    assert [backoff.next_delay(), backoff.next_delay(), backoff.next_delay()] == [0.2, 0.4, None]


def test_the_delay_is_at_least_what_the_server_asks_for() -> None:
    backoff = Backoff(3, draw=lambda: 1.0)
    assert backoff.next_delay(5.0) == 5.0
    assert backoff.next_delay(0.1) == 0.4


def test_zero_attempts_are_refused() -> None:
    with pytest.raises(ValueError, match="attempts is 0"):
        Backoff(0)


def test_attempts_share_one_deadline() -> None:
    clock = Clock()
    attempts = Attempts(Backoff(9, draw=lambda: 1.0), timeout_secs=1.0, clock=clock)
    assert attempts.remaining_secs() == 1.0
    clock.now += 0.5
    assert attempts.remaining_secs() == 0.5
    assert attempts.delay_after(UnavailableError("busy")) == 0.2
    clock.now += 0.2
    # The next wait would be 0.4 seconds, and only 0.3 are left.
    with pytest.raises(UnavailableError, match="still busy"):
        attempts.delay_after(UnavailableError("still busy"))


@pytest.mark.parametrize("secs", [0, -1, math.inf, math.nan])
def test_a_timeout_must_be_positive_and_finite(secs: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        Attempts(Backoff(2), timeout_secs=secs)


@pytest.mark.parametrize(
    ("error", "is_retried", "is_reopened"),
    [
        (UnavailableError("gone"), True, True),
        (ResourceExhaustedError("busy", retry_after_secs=0.0), True, True),
        (ResourceExhaustedError("message too large"), False, False),
        (InternalError("reset"), False, True),
        (InternalError("defect", reason="INTERNAL", from_server=True), False, False),
        (InvalidArgumentError("wrong"), False, False),
    ],
)
def test_which_errors_are_transient(
    error: StatusError, is_retried: bool, is_reopened: bool
) -> None:
    assert may_reopen(error) is is_reopened
    attempts = Attempts(Backoff(2, draw=lambda: 0.0), timeout_secs=1.0)
    if is_retried:
        assert attempts.delay_after(error) == 0
    else:
        with pytest.raises(type(error)):
            attempts.delay_after(error)
