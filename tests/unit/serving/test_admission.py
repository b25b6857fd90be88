from __future__ import annotations

from dataclasses import dataclass

import pytest

from posewire_server.serving.errors import DeadlineTooShortError
from posewire_server.serving.scheduling.admission import check_deadline

NOW = 100.0


@dataclass(frozen=True)
class Waiting:
    due_at: float | None = None
    network_runs: int = 1


def check(within_secs: float | None, ahead: list[Waiting], *, run_secs: float = 0.2) -> None:
    due_at = None if within_secs is None else NOW + within_secs
    check_deadline(due_at, ahead, run_secs=run_secs, clock=lambda: NOW)


def test_an_image_is_refused_if_half_of_the_expected_wait_is_too_long() -> None:
    ahead = [Waiting() for _ in range(10)]
    check(1.01, ahead)
    with pytest.raises(DeadlineTooShortError) as caught:
        check(0.99, ahead)
    assert caught.value.metadata == {"min_wait_secs": "1"}
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(
    ("within_secs", "waiting", "run_secs"),
    [
        pytest.param(None, 1000, 0.2, id="no deadline"),
        pytest.param(0.001, 1000, 0.0, id="nothing is measured"),
        pytest.param(0.001, 0, 9.0, id="nothing waits"),
        pytest.param(-1.0, 0, 9.0, id="nothing waits, and the deadline has passed"),
    ],
)
def test_an_image_is_admitted(within_secs: float | None, waiting: int, run_secs: float) -> None:
    check(within_secs, [Waiting() for _ in range(waiting)], run_secs=run_secs)


def test_a_flip_test_ahead_takes_the_time_of_two_runs() -> None:
    ahead = [Waiting(), Waiting(network_runs=2), Waiting(network_runs=2)]
    check(0.51, ahead)
    with pytest.raises(DeadlineTooShortError):
        check(0.49, ahead)
    with pytest.raises(DeadlineTooShortError):  # the second is dropped after 0.3 s
        check(0.39, [Waiting(network_runs=2), Waiting(NOW + 0.1, 2), Waiting(network_runs=2)])
    check(0.41, [Waiting(network_runs=2), Waiting(NOW + 0.1, 2), Waiting(network_runs=2)])


def test_frames_that_are_dropped_before_their_turn_take_no_time() -> None:
    soon = [Waiting(NOW + 0.25) for _ in range(100)]  # three of them have a turn
    check(0.31, soon)
    with pytest.raises(DeadlineTooShortError):
        check(0.29, soon)
    with pytest.raises(DeadlineTooShortError):
        check(0.31, [*soon, Waiting(NOW + 9)])
