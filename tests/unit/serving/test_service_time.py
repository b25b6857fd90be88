from __future__ import annotations

import pytest

from posewire_server.serving.scheduling.service_time import ServiceTime
from tests.reference.fake_clock import FakeClock


class Measured:
    """A service time whose clock a test advances."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.time = ServiceTime(clock=self.clock)

    def finish(self, *intervals: float, is_full: bool = True, network_runs: int = 1) -> None:
        for secs in intervals:
            self.clock.advance(secs)
            self.time.finish(is_full=is_full, network_runs=network_runs)

    @property
    def secs(self) -> float:
        return self.time.secs


def test_nothing_is_known_before_eight_measurements() -> None:
    measured = Measured()
    measured.finish(5.0, *[0.02] * 7)  # nothing is measured before the first end
    assert measured.secs == 0
    measured.finish(0.02)
    assert measured.secs == pytest.approx(0.02)


def test_it_follows_a_model_that_becomes_slower_or_faster() -> None:
    measured = Measured()
    measured.finish(*[0.02] * 9)
    measured.finish(*[0.06] * 80)
    assert measured.secs == pytest.approx(0.06, rel=0.02)
    measured.finish(*[0.01] * 80)
    assert measured.secs == pytest.approx(0.01, rel=0.05)


def test_time_in_which_the_model_could_do_more_is_not_measured() -> None:
    measured = Measured()
    measured.finish(*[0.02] * 9)
    for _ in range(50):
        measured.finish(0.02, is_full=False)
        measured.finish(7.0)
    assert measured.secs == pytest.approx(0.02)


@pytest.mark.parametrize("before", [4, 9, 40])
def test_a_pause_does_not_look_like_a_slow_model(before: int) -> None:
    measured = Measured()
    measured.finish(*[0.02] * before)
    measured.finish(60.0)
    measured.finish(*[0.02] * 9)
    assert measured.secs < 2 * 0.02


@pytest.mark.parametrize("capacity", [2, 4])
def test_frames_that_end_together_share_the_time(capacity: int) -> None:
    measured = Measured()
    for _ in range(50):
        measured.finish(0.08, *[0.0] * (capacity - 1))
    assert measured.secs == pytest.approx(0.08 / capacity, rel=0.3)


def test_a_frame_of_two_runs_is_two_measurements_of_half_the_time() -> None:
    measured = Measured()
    measured.finish(0.0, *[0.04] * 4, network_runs=2)
    assert measured.secs == pytest.approx(0.02)
    measured.finish(*[0.02, 0.02], network_runs=1)
    measured.finish(*[0.04] * 9, network_runs=2)
    assert measured.secs == pytest.approx(0.02)


def test_it_grows_from_zero() -> None:
    measured = Measured()
    measured.finish(*[0.0] * 9)
    measured.finish(*[0.5] * 100)
    assert measured.secs == pytest.approx(0.5, rel=0.1)
