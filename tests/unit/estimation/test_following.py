"""From estimates to the poses that a stream's client wants."""

from __future__ import annotations

from typing import Any

import numpy as np

from posewire_decoder import Origin, SmootherOptions
from posewire_server.estimation.body_colours import body_colours
from posewire_server.estimation.following import Follower
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions

PERSON = np.random.default_rng(1).uniform(0, [60, 160], (17, 2))


def estimate(places: list[tuple[float, float]], scores: list[float]) -> FramePoses:
    count = len(places)
    return FramePoses(
        (PERSON + np.reshape(places, (count, 1, 2))).astype(np.float32),
        np.linspace(0.3, 0.9, 17 * count, dtype=np.float32).reshape(count, 17),
        np.full((count, 17), Origin.DETECTED, np.uint8),
        np.array(scores, np.float32),
    )


def follower(**options: Any) -> Follower:
    return Follower(EstimateOptions(min_pose_score=0.35, **options), min_pose_score=0.35)


def ids(poses: FramePoses) -> list[int]:
    assert poses.track_ids is not None
    return poses.track_ids.tolist()


def test_the_client_gets_no_pose_below_the_score_it_asked_for() -> None:
    following = follower()
    assert following.estimate_options.min_pose_score < 0.2
    assert ids(following.follow(0, estimate([(0, 0), (300, 0)], [0.9, 0.9]))) == [1, 2]
    poses = following.follow(0.04, estimate([(0, 0), (300, 0)], [0.9, 0.2]))
    assert ids(poses) == [1]
    assert poses.scores.tolist() == [np.float32(0.9)]
    assert ids(following.follow(0.08, estimate([(300, 0), (0, 0)], [0.9, 0.9]))) == [2, 1]


def test_limits_apply_after_tracking() -> None:
    following = follower(max_poses=1, min_keypoint_score=0.5)
    assert following.estimate_options.max_poses == 100
    assert following.estimate_options.min_keypoint_score == 0
    assert ids(following.follow(0, estimate([(0, 0), (300, 0)], [0.9, 0.8]))) == [1]
    poses = following.follow(0.04, estimate([(300, 0), (0, 0)], [0.9, 0.8]))
    assert ids(poses) == [2]
    assert (poses.origins == Origin.ABSENT).sum() == (poses.keypoint_scores == 0).sum() > 0


def test_poses_that_the_client_wants_unfiltered_are_not_all_tracks() -> None:
    following = Follower(EstimateOptions(min_pose_score=0.0), min_pose_score=0.35)
    for frame in range(3):
        poses = following.follow(frame / 25, estimate([(0, 0), (300, 0)], [0.9, 0.05]))
    assert ids(poses) == [1, 0]


def test_smoothing_changes_positions_and_nothing_else() -> None:
    plain = follower()
    smooth = Follower(EstimateOptions(), min_pose_score=0.35, smoothing=SmootherOptions())
    for frame in range(4):
        found = estimate([(10.0 * (frame % 2), 0)], [0.9])
        before, after = plain.follow(frame / 25, found), smooth.follow(frame / 25, found)
    assert np.abs(before.keypoints - after.keypoints).max() > 1
    np.testing.assert_array_equal(before.keypoint_scores, after.keypoint_scores)
    np.testing.assert_array_equal(before.origins, after.origins)
    np.testing.assert_array_equal(before.scores, after.scores)
    assert ids(before) == ids(after) == [1]


def test_a_restored_follower_goes_on() -> None:
    first, second = follower(), follower()
    first.follow(0, estimate([(0, 0), (300, 0)], [0.9, 0.9]))
    assert first.newest_id == 2
    second.restore(first.save(max_tracks=10))
    assert second.newest_id == 0
    again = second.follow(0.04, estimate([(300, 0), (0, 0), (600, 0)], [0.9, 0.9, 0.9]))
    assert ids(again) == [2, 1, 3]


def test_colours_are_those_at_the_body() -> None:
    image = np.zeros((200, 100, 3), np.uint8)
    poses = estimate([(20, 20)], [0.9])
    image[:, :] = (10, 20, 30)
    assert body_colours(image, poses.keypoints, poses).tolist() == [[[10, 20, 30, 1]] * 8]
