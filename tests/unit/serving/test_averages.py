from __future__ import annotations

import pytest

from posewire_server.serving.scheduling.averages import MeanLevel, MeanRate, Utilization
from tests.reference.fake_clock import FakeClock


class Network:
    """One that runs frames one by one, with the averages that are measured."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.level = MeanLevel(clock=self.clock)
        self.rate = MeanRate(clock=self.clock)

    def run(self, frames: int, *, secs: float, idle_secs: float = 0.0) -> None:
        for _ in range(frames):
            self.level.change(1)
            self.clock.advance(secs)
            self.level.change(0)
            self.rate.count()
            self.clock.advance(idle_secs)


@pytest.mark.parametrize(("busy_secs", "idle_secs"), [(0.02, 0.06), (0.05, 0.05), (0.1, 0.0)])
def test_averages_are_those_of_the_time_and_count(busy_secs: float, idle_secs: float) -> None:
    network = Network()
    period_secs = busy_secs + idle_secs
    network.run(int(60 / period_secs), secs=busy_secs, idle_secs=idle_secs)
    assert network.level.mean == pytest.approx(busy_secs / period_secs, rel=0.03)
    assert network.rate.per_sec == pytest.approx(1 / period_secs, rel=0.03)


def test_a_new_network_is_as_fast_as_its_first_frames() -> None:
    """Both averages grow from zero alike, so that their ratio is right from the beginning."""
    network = Network()
    network.run(5, secs=0.02, idle_secs=0.5)
    assert network.rate.per_sec / network.level.mean == pytest.approx(1 / 0.02, rel=0.01)


def test_the_past_is_forgotten_and_the_speed_kept() -> None:
    network = Network()
    network.run(100, secs=0.05)
    fast = network.rate.per_sec / network.level.mean
    before = network.level.mean
    network.clock.advance(20)
    assert network.level.mean < before / 40
    assert network.rate.per_sec / network.level.mean == pytest.approx(fast)
    network.clock.advance(1e9)
    assert (network.level.mean, network.rate.per_sec) == (0, 0)


def test_a_level_that_stays_becomes_the_mean() -> None:
    network = Network()
    network.level.change(7)
    network.clock.advance(60)
    assert network.level.mean == pytest.approx(7, rel=0.001)


@pytest.mark.parametrize(
    ("at_network", "waiting", "want"),
    [(0, 0, 0), (2, 0, 0.5), (4, 0, 1), (4, 2, 1.5), (6, 0, 1.5), (6, 2, 2), (4, 400, 2)],
)
def test_a_queue_counts_for_as_much_as_the_network_at_most(
    at_network: int, waiting: int, want: float
) -> None:
    clock = FakeClock()
    utilization = Utilization(4, clock=clock)
    utilization.set_at_network(at_network)
    utilization.set_waiting(waiting)
    clock.advance(60)
    assert utilization.mean == pytest.approx(want, abs=0.001)
