"""Smoothed keypoints shake less, follow fast ones, and begin anew after an occlusion."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Origin, Smoother, SmootherOptions

K = 4
CORNERS = np.array([[0, 0], [60, 0], [0, 160], [60, 160]], np.float64)
RATE = 25.0


def smooth(
    smoother: Smoother,
    secs: float,
    keypoints: NDArray[np.float64],
    *,
    absent: int | None = None,
    track: int = 7,
) -> NDArray[np.float32]:
    origins = np.full((1, K), Origin.DETECTED, np.uint8)
    if absent is not None:
        origins[0, absent] = Origin.ABSENT
    return smoother.update(
        secs,
        keypoints[None].astype(np.float32),
        np.ones((1, K), np.float32),
        origins,
        np.array([track], np.uint32),
    )[0]


def test_a_still_person_shakes_less_than_half_as_much() -> None:
    smoother, rng = Smoother(), np.random.default_rng(2)
    noise = rng.normal(0, 1.5, (100, K, 2))
    smoothed = np.array([smooth(smoother, i / RATE, CORNERS + n) for i, n in enumerate(noise)])
    raw = np.diff(noise, axis=0).std()
    assert np.diff(smoothed, axis=0).std() < raw / 2
    assert np.abs(smoothed[20:].mean(axis=0) - CORNERS).max() < 1


def test_a_fast_wrist_is_followed_within_a_frame() -> None:
    smoother = Smoother()
    lags = []
    for frame in range(100):
        secs = frame / RATE
        place = CORNERS.copy()
        place[1, 0] += 40 * np.sin(2 * np.pi * 1.5 * secs)  # waves at up to 377 pixels a second
        lags.append(np.abs(smooth(smoother, secs, place) - place)[1, 0])
    assert max(lags[10:]) < 377 / RATE


def test_absent_keypoints_and_poses_without_a_track_stay() -> None:
    smoother = Smoother()
    smooth(smoother, 0, CORNERS)
    moved = CORNERS + 30
    moved[2] = 0
    assert smooth(smoother, 0.04, moved, absent=2)[2].tolist() == [0, 0]
    poses = np.stack([CORNERS, CORNERS + 500]).astype(np.float32)
    scores, origins = np.ones((2, K), np.float32), np.ones((2, K), np.uint8)
    ids = np.array([9, 0], np.uint32)
    smoother.update(0.1, poses, scores, origins, ids)
    answer = smoother.update(0.14, poses + 10, scores, origins, ids)
    assert (answer[0] < poses[0] + 10).all()
    np.testing.assert_array_equal(answer[1], poses[1] + 10)


@pytest.mark.parametrize(("gap", "begins_anew"), [(0.15, False), (0.25, True)])
def test_a_keypoint_begins_anew_after_an_occlusion(gap: float, begins_anew: bool) -> None:
    smoother = Smoother()
    smooth(smoother, 0, CORNERS)
    hidden = CORNERS.copy()
    hidden[2] = 0
    smooth(smoother, gap / 2, hidden, absent=2)
    after = smooth(smoother, gap, CORNERS + 10)
    assert (after[2].tolist() == (CORNERS[2] + 10).tolist()) == begins_anew
    assert after[1].tolist() != (CORNERS[1] + 10).tolist()


def test_tracks_are_smoothed_apart() -> None:
    smoother = Smoother()
    poses = np.stack([CORNERS, CORNERS + 500]).astype(np.float32)
    scores, origins = np.ones((2, K), np.float32), np.ones((2, K), np.uint8)
    smoother.update(0.0, poses, scores, origins, np.array([1, 2], np.uint32))
    answer = smoother.update(0.04, poses[::-1].copy(), scores, origins, np.array([2, 1], np.uint32))
    np.testing.assert_array_equal(answer, poses[::-1])


def test_a_clock_that_steps_back_stands_still() -> None:
    smoother = Smoother()
    smooth(smoother, 5000, CORNERS)
    assert np.isfinite(smooth(smoother, 3, CORNERS + 1)).all()
    assert (smooth(smoother, 3.04, CORNERS + 1) < CORNERS + 1).all()


def test_people_are_forgotten_also_while_the_clock_stands_still() -> None:
    smoother = Smoother()
    smooth(smoother, 0.0, CORNERS)
    for track in range(8, 308):
        smooth(smoother, 0.0, CORNERS, track=track)
    moved = CORNERS + 10
    np.testing.assert_array_equal(smooth(smoother, 0.0, moved), moved.astype(np.float32))
    assert (smooth(smoother, 0.0, moved + 10, track=300) < moved).all()


def test_numbers_beyond_all_measure_do_no_harm() -> None:
    smoother = Smoother()
    for wrong in (np.nan, np.inf, 3e38):
        place = CORNERS.copy()
        place[1] = wrong
        smooth(smoother, 0.0, place)
    assert np.isfinite(smooth(smoother, 0.04, CORNERS)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SmootherOptions(min_cutoff_hz=0), "min_cutoff_hz: got 0, want a finite number above 0"),
        (SmootherOptions(cutoff_per_speed=-1), "cutoff_per_speed: got -1, want a finite number"),
        (SmootherOptions(speed_cutoff_hz=np.inf), "speed_cutoff_hz: got inf, want a finite"),
        (SmootherOptions(max_gap_secs=np.nan), "max_gap_secs: got nan, want a finite number"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: SmootherOptions, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Smoother(options)
