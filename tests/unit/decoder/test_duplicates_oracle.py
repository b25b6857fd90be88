"""The compiled module joins the same duplicates as the readable one, with the same keypoints.

Hypothesis draws a seed and what the crowd shall be like; NumPy fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_decoder import Origin, join_duplicates
from tests.reference import duplicates as oracle

exploring = settings(max_examples=300, deadline=None)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Poses that are shifted copies of people; `seed` decides the rest."""

    seed: int
    keypoints: int
    people: int
    poses: int
    frame: float
    height: float
    width: float
    shift: float
    jitter: float
    inferred: float
    absent: float
    heat_levels: int


def drawn_crowds() -> st.SearchStrategy[Crowd]:
    sides = st.sampled_from([0.0, 0.5, 10.0, 80.0])
    return st.builds(
        Crowd,
        seed=st.integers(0, 2**32 - 1),
        keypoints=st.one_of(st.integers(1, 5), st.just(17)),
        people=st.integers(1, 6),
        poses=st.integers(0, 16),
        frame=st.sampled_from([0.0, 20.0, 200.0, 2000.0]),
        height=sides,
        width=sides,
        shift=st.sampled_from([0.0, 0.3, 3.0, 20.0]),
        jitter=st.sampled_from([0.0, 0.1, 3.0]),
        inferred=st.sampled_from([0.0, 0.2, 0.6]),
        absent=st.sampled_from([0.0, 0.2, 0.6, 1.0]),
        heat_levels=st.sampled_from([1, 3, 2**20]),
    )


def filled(crowd: Crowd) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Keypoints, keypoint scores and origins, the best pose first."""
    rng = np.random.default_rng(crowd.seed)
    shape = (crowd.poses, crowd.keypoints)
    kinds = np.array([Origin.DETECTED, Origin.INFERRED, Origin.ABSENT], np.uint8)
    detected = (1 - crowd.inferred) * (1 - crowd.absent)
    shares = [detected, crowd.inferred * (1 - crowd.absent), crowd.absent]
    origins = rng.choice(kinds, p=shares, size=shape)
    people = rng.uniform(0, crowd.frame, (crowd.people, 1, 2)) + rng.uniform(
        0, [crowd.width, crowd.height], (crowd.people, crowd.keypoints, 2)
    )
    keypoints = people[rng.integers(crowd.people, size=crowd.poses)]
    keypoints += rng.normal(0, crowd.shift, (crowd.poses, 1, 2))
    keypoints += rng.normal(0, crowd.jitter, (*shape, 2))
    keypoints[origins == Origin.ABSENT] = 0
    heat = rng.integers(0, crowd.heat_levels, size=shape, endpoint=True) / crowd.heat_levels
    heat[origins == Origin.ABSENT] = 0
    order = np.argsort(-(heat * (origins == Origin.DETECTED)).mean(axis=1), kind="stable")
    return (
        keypoints[order].astype(np.float32),
        heat[order].astype(np.float32),
        origins[order],
    )


@given(
    crowd=drawn_crowds(),
    oks_threshold=st.sampled_from([0.5, 0.1, 0.9, 1.0]),
    sigma=st.sampled_from([0.025, 0.1]),
)
@exploring
def test_the_same_poses_are_left_with_the_same_keypoints(
    crowd: Crowd, oks_threshold: float, sigma: float
) -> None:
    poses = filled(crowd)
    options: dict[str, Any] = {
        "oks_sigmas": list(sigma * np.linspace(1, 3, crowd.keypoints)),
        "oks_threshold": oks_threshold,
    }
    oks = oracle.oks_of_pairs(poses[0], poses[2], options["oks_sigmas"])
    # Either may round its own way. What is exactly at the threshold was not rounded.
    assume(((abs(oks - oks_threshold) > 1e-5) | (oks == oks_threshold)).all())
    answers = join_duplicates(*poses, **options), oracle.join_duplicates(*poses, **options)
    for name, answer, wanted in zip(
        ("keypoints", "keypoint scores", "origins", "scores"), *answers, strict=True
    ):
        np.testing.assert_array_equal(answer, wanted, err_msg=name, strict=True)
