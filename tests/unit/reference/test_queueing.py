"""The simulated queue, where its delays are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.queueing import Load, camera_delays, delays, max_cameras, poisson_delays

RNG = np.random.default_rng(1)


def test_frames_wait_for_those_before_them() -> None:
    arrivals = np.array([0.0, 0.25, 0.5, 5.0])
    np.testing.assert_allclose(delays(arrivals, 1.0), [1.0, 1.75, 2.5, 1.0])
    np.testing.assert_allclose(delays(arrivals, 1.0, parallel=2), [1.0, 1.0, 1.5, 1.0])


def test_poisson_arrivals_wait_as_the_formula_of_m_d_1_says() -> None:
    load = Load(cameras=70, fps=1.0, service_secs=0.01)
    mean_wait = float(poisson_delays(load, RNG).mean()) - load.service_secs
    expected = load.service_secs * 0.7 / (2 * (1 - 0.7))  # Pollaczek and Khinchine
    assert mean_wait == pytest.approx(expected, rel=0.1)


def test_cameras_wait_less_than_poisson_arrivals_and_at_most_for_all_others() -> None:
    load = Load(cameras=9, fps=1.0, service_secs=0.1)
    found = camera_delays(load, RNG)
    assert found.mean() < poisson_delays(load, RNG).mean()
    assert found.max() <= load.cameras * load.service_secs + 1e-9


def test_no_more_cameras_than_the_network_has_time_for() -> None:
    assert max_cameras(1.0, 0.1, 1, p99_secs=100.0) == 10
    assert max_cameras(1.0, 0.1, 1, p99_secs=0.05) == 0
    assert 0 < max_cameras(1.0, 0.1, 1, p99_secs=0.3) < 10
