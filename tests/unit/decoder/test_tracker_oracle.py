"""The compiled tracker and smoother answer as the readable ones do.

Hypothesis draws a seed and what the clip shall be like; NumPy fills it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_decoder import (
    Origin,
    Smoother,
    SmootherOptions,
    Tracker,
    TrackerOptions,
)
from tests.reference.smoother import Smoother as ReadableSmoother
from tests.reference.tracker import Tracker as ReadableTracker

exploring = settings(max_examples=60, deadline=None)
FRAMES = 12


@dataclass(frozen=True, kw_only=True)
class Clip:
    """People who walk, with noise, misses and ghosts; `seed` decides the rest."""

    seed: int
    keypoints: int
    people: int
    size: float
    speed: float
    noise: float
    missed: float
    absent: float
    ghosts: int
    coloured: bool
    max_tracks: int
    pace: float


@dataclass(frozen=True, eq=False)
class FoundPoses:
    secs: float
    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    scores: NDArray[np.float32]
    colours: NDArray[np.float32] | None


drawn_clips = st.builds(
    Clip,
    seed=st.integers(0, 2**32 - 1),
    keypoints=st.sampled_from([1, 4, 17]),
    people=st.integers(0, 6),
    size=st.sampled_from([4.0, 60.0]),
    speed=st.sampled_from([0.0, 60.0, 500.0]),
    noise=st.sampled_from([0.0, 2.0, 20.0]),
    missed=st.sampled_from([0.0, 0.2, 0.6]),
    absent=st.sampled_from([0.0, 0.3, 0.9]),
    ghosts=st.integers(0, 3),
    coloured=st.booleans(),
    max_tracks=st.sampled_from([3, 100]),
    pace=st.sampled_from([0.04, 0.3, 1.5]),
)


def frames_of(clip: Clip) -> list[FoundPoses]:
    rng = np.random.default_rng(clip.seed)
    shape = (clip.people, clip.keypoints, 2)
    bodies = rng.uniform(0, 300, (clip.people, 1, 2)) + rng.uniform(0, clip.size, shape)
    velocities = rng.normal(0, clip.speed, (clip.people, 1, 2))
    own_colours = rng.uniform(0, 255, (clip.people + 1, 5, 3))
    secs, frames = 100.0, []
    for _ in range(FRAMES):
        step = clip.pace * rng.uniform(0.1, 1.0)
        secs += step
        bodies += velocities * step
        seen = np.flatnonzero(rng.random(clip.people) >= clip.missed)
        ghosts = rng.uniform(0, 300, (clip.ghosts, *shape[1:]))
        keypoints = np.concatenate((bodies[seen], ghosts))
        keypoints += rng.normal(0, clip.noise, keypoints.shape)
        count = len(keypoints)
        kinds = [Origin.DETECTED, Origin.INFERRED, Origin.ABSENT]
        shares = [0.8 * (1 - clip.absent), 0.2 * (1 - clip.absent), clip.absent]
        origins = rng.choice(kinds, p=shares, size=keypoints.shape[:2]).astype(np.uint8)
        keypoints[origins == Origin.ABSENT] = 0
        owners = np.concatenate((seen, np.full(clip.ghosts, clip.people))).astype(int)
        colours = np.concatenate(
            (
                own_colours[owners] + rng.normal(0, 10, (count, 5, 3)),
                rng.integers(0, 2, (count, 5, 1)),
            ),
            axis=2,
        )
        colours[colours[..., 3] == 0] = 0
        frames.append(
            FoundPoses(
                secs,
                keypoints.astype(np.float32),
                rng.random(origins.shape, np.float32),
                origins,
                rng.uniform(0, 0.8, count).astype(np.float32),
                colours.astype(np.float32) if clip.coloured else None,
            )
        )
    return frames


@given(clip=drawn_clips)
@exploring
def test_the_same_poses_get_the_same_ids(clip: Clip) -> None:
    options = TrackerOptions(
        oks_sigmas=np.linspace(0.03, 0.1, clip.keypoints).tolist(), max_tracks=clip.max_tracks
    )
    compiled, readable = Tracker(options), ReadableTracker(options)
    for frame in frames_of(clip):
        given_poses = (frame.keypoints, frame.keypoint_scores, frame.origins, frame.scores)
        wanted = readable.update(frame.secs, *given_poses, frame.colours)
        answer = compiled.update(frame.secs, *given_poses, frame.colours)
        # Either may round its own way.
        assume(readable.margin > 1e-9)
        np.testing.assert_array_equal(answer, wanted, strict=True)


@given(
    clip=drawn_clips,
    min_cutoff_hz=st.sampled_from([0.1, 1.0, 30.0]),
    cutoff_per_speed=st.sampled_from([0.0, 8.0]),
)
@exploring
def test_the_same_tracks_are_smoothed_alike(
    clip: Clip, min_cutoff_hz: float, cutoff_per_speed: float
) -> None:
    options = SmootherOptions(min_cutoff_hz=min_cutoff_hz, cutoff_per_speed=cutoff_per_speed)
    compiled, readable = Smoother(options), ReadableSmoother(options)
    rng = np.random.default_rng(clip.seed)
    for frame in frames_of(clip):
        ids = rng.permutation(len(frame.scores)).astype(np.uint32)  # one of them has no track
        answer = compiled.update(
            frame.secs, frame.keypoints, frame.keypoint_scores, frame.origins, ids
        )
        wanted = readable.update(frame.secs, frame.keypoints, frame.origins, ids)
        np.testing.assert_allclose(answer, wanted, rtol=1e-5, atol=1e-4, strict=True)
