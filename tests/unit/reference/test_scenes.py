from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tests.reference.evaluation import (
    ScoredPoses,
    average_precision,
    grouping_accuracy,
    localisation_error,
)
from tests.reference.painting import joined
from tests.reference.people import MIRROR
from tests.reference.scenes import (
    KINDS,
    Evidence,
    Kind,
    Noise,
    PaintedScene,
    crowd,
    paint,
    person,
    scene,
    suppress_non_maxima,
)

SIZE = 96


def lone_keypoint(x: float, y: float, *, amplitude: float = 0.8, tag: float = 3.0) -> Evidence:
    return Evidence(np.array([[[x, y]]]), np.array([[amplitude]]), np.array([[tag]]))


def painted(people: Evidence) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return paint(np.random.default_rng(0), people, width=40, height=30)


def perfect_poses(scenes: list[PaintedScene]) -> list[ScoredPoses]:
    return [ScoredPoses(each.keypoints, np.ones(len(each.keypoints))) for each in scenes]


def maxima_of_windows(heatmaps: NDArray[np.float32]) -> NDArray[np.float32]:
    bordered = np.pad(heatmaps, ((0, 0), (2, 2), (2, 2)), constant_values=-np.inf)
    return np.asarray(sliding_window_view(bordered, (5, 5), axis=(1, 2)).max(axis=(3, 4)))


def tag_gaps(each: PaintedScene) -> NDArray[np.float64]:
    """Distances between neighbouring tags, each person's being the mean over their peaks."""
    tags = []
    for keypoints, visible in zip(each.keypoints, each.visible, strict=True):
        x, y = np.floor(keypoints[visible]).astype(int).T
        tags.append(each.tags[np.flatnonzero(visible), y, x].mean())
    return np.diff(np.sort(tags))


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_is_a_function_of_its_kind_and_seed(kind: Kind) -> None:
    one, same, other = (scene(kind, seed, width=SIZE, height=SIZE) for seed in (3, 3, 4))
    for name in ("heatmaps", "tags", "keypoints", "visible", "areas"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.heatmaps, other.heatmaps)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_has_the_shapes_and_types_of_a_network_output(kind: Kind) -> None:
    painted_scene = scene(kind, 0, width=80, height=112)
    count = len(painted_scene.keypoints)
    assert painted_scene.heatmaps.shape == painted_scene.tags.shape == (17, 112, 80)
    assert painted_scene.heatmaps.dtype == painted_scene.tags.dtype == np.float32
    assert painted_scene.keypoints.shape == (count, 17, 2)
    assert painted_scene.visible.shape == (count, 17)
    assert painted_scene.areas.shape == (count,)
    assert (painted_scene.areas > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_positive_cells_are_exactly_the_maxima_of_their_windows(kind: Kind) -> None:
    painted_scene = scene(kind, 1, width=SIZE, height=72)
    unsigned = painted_scene.unsigned_heatmaps
    is_maximum = maxima_of_windows(unsigned) == unsigned
    np.testing.assert_array_equal(painted_scene.heatmaps > 0, is_maximum & (unsigned > 0))


def test_equal_neighbours_both_stay_positive() -> None:
    heatmaps = np.zeros((1, 8, 8), np.float32)
    heatmaps[0, 4, 3:5] = 0.5
    heatmaps[0, 4, 5] = 0.4
    signed = suppress_non_maxima(heatmaps)
    np.testing.assert_array_equal(signed[0, 4, 3:6], np.array([0.5, 0.5, -0.4], np.float32))


@pytest.mark.parametrize(("x", "y"), [(12.5, 9.5), (12.1, 9.9), (0.2, 0.3), (39.9, 29.6)])
def test_a_gaussian_peaks_in_the_cell_that_holds_its_centre(x: float, y: float) -> None:
    heatmaps, tags = painted(lone_keypoint(x, y))
    row, column = divmod(int(heatmaps.argmax()), heatmaps.shape[2])
    assert (column, row) == (int(x), int(y))
    assert heatmaps.max() == pytest.approx(0.8, rel=0.07)
    np.testing.assert_array_equal(tags > 0, heatmaps > 0)
    assert set(np.unique(tags)) == {0.0, 3.0}


def test_a_gaussian_outside_the_frame_leaves_only_its_flank() -> None:
    inside = painted(lone_keypoint(-2.5, 12.5))[0]
    assert inside[0, 12, 0] == pytest.approx(0.8 * np.exp(-9 / 8), rel=1e-5)
    assert not painted(lone_keypoint(-30.0, 12.5))[0].any()
    assert not painted(lone_keypoint(12.5, 90.0))[0].any()


def test_a_cell_takes_the_tag_of_the_highest_gaussian() -> None:
    near, far = lone_keypoint(10.5, 10.5, tag=1.0), lone_keypoint(15.5, 10.5, tag=2.0)
    tags = painted(joined(near, far))[1]
    np.testing.assert_array_equal(tags[0, 10, 8:18], [1.0] * 5 + [2.0] * 5)


def test_noise_never_makes_heat_negative() -> None:
    rng, noise = np.random.default_rng(0), Noise(heat_smooth=0.02, heat_white=0.02)
    heatmaps, _ = paint(rng, lone_keypoint(20.0, 15.0), width=40, height=30, noise=noise)
    assert heatmaps.min() == 0
    assert 0.02 < heatmaps[heatmaps < 0.2].max() < 0.2


@pytest.mark.parametrize("seed", range(5))
def test_separated_people_peak_where_their_keypoints_are(seed: int) -> None:
    painted_scene = scene("separated", seed)
    for keypoints, visible in zip(painted_scene.keypoints, painted_scene.visible, strict=True):
        x, y = np.floor(keypoints).astype(int).T
        high = painted_scene.unsigned_heatmaps[np.arange(17), y, x] > 0.1
        for k in np.flatnonzero(visible & high):
            rows, columns = np.nonzero(painted_scene.heatmaps[k] > 0.1)
            offsets = np.abs(np.stack([columns, rows], axis=1) + 0.5 - keypoints[k])
            # Half a cell, and what noise of half a percent moves a peak between two cells.
            assert offsets.max(axis=1).min() < 0.5 + 0.2


@pytest.mark.parametrize("seed", range(8))
def test_tags_are_as_far_apart_as_the_kind_says(seed: int) -> None:
    noise_of_mean = 0.05
    separated, close = tag_gaps(scene("separated", seed)), tag_gaps(scene("close_tags", seed))
    assert (separated > 2.0 - noise_of_mean).all()
    assert (close > 0.15 - noise_of_mean).all()
    assert (close < 0.45 + noise_of_mean).all()


@pytest.mark.parametrize("count", [0, 1, 7, 30])
def test_a_crowd_has_exactly_the_people_asked_for_inside_the_frame(count: int) -> None:
    painted_scene = crowd(count, width=144, height=112, seed=5)
    assert len(painted_scene.keypoints) == count
    assert (painted_scene.keypoints >= 0).all()
    assert (painted_scene.keypoints <= [144, 112]).all()
    assert painted_scene.visible.any(axis=1).all()


def test_a_crowd_of_nobody_has_no_peak_to_detect() -> None:
    assert crowd(0, width=144, height=112, seed=5).heatmaps.max() < 0.1


BODY_LEVELS = {"nose": [0], "shoulders": [5, 6], "hips": [11, 12], "ankles": [15, 16]}


def test_people_are_upright_and_left_is_left_of_those_who_face_the_camera() -> None:
    rng = np.random.default_rng(0)
    figures = [person(rng, height=100, posture="standing") for _ in range(50)]
    for figure in figures:
        levels = [figure.keypoints[k, 1].mean() for k in BODY_LEVELS.values()]
        assert all(above < below for above, below in pairwise(levels))
        assert 75 < levels[-1] - levels[0] < 105
    facing = [figure for figure in figures if figure.faces_camera[:5].all()]
    assert len(facing) > 5
    for figure in facing:
        assert (figure.keypoints[[1, 5], 0] > figure.keypoints[MIRROR[[1, 5]], 0]).all()


def test_perfect_poses_score_one() -> None:
    scenes = [scene(kind, 0, width=SIZE, height=SIZE) for kind in KINDS]
    poses = perfect_poses(scenes)
    precision = average_precision(scenes, poses)
    assert (precision.ap, precision.ap50, precision.ap75, precision.ar) == pytest.approx((1,) * 4)
    assert grouping_accuracy(scenes, poses) == 1
    assert localisation_error(scenes, poses) == pytest.approx(0)


def test_shifted_poses_score_lower_and_by_their_shift() -> None:
    shift = np.array([0.6, 0.8])
    scenes = [scene("separated", seed, width=SIZE, height=SIZE) for seed in range(4)]
    shifted = [ScoredPoses(p.keypoints + shift, p.scores) for p in perfect_poses(scenes)]
    assert 0.3 < average_precision(scenes, shifted).ap < 0.95
    assert localisation_error(scenes, shifted) == pytest.approx(1)


def test_poses_that_mix_two_people_score_lower() -> None:
    scenes = [scene("close_tags", seed) for seed in range(4)]
    mixed = []
    for each in scenes:
        keypoints = each.keypoints.copy()
        keypoints[:, 11:] = np.roll(keypoints[:, 11:], 1, axis=0)
        mixed.append(ScoredPoses(keypoints, np.ones(len(keypoints))))
    assert average_precision(scenes, mixed).ap75 < 0.1
    assert 0.5 < grouping_accuracy(scenes, mixed) < 0.8


def test_a_pose_counts_for_one_person_only() -> None:
    each = scene("separated", 2, width=SIZE, height=SIZE)
    twins = replace(
        each,
        keypoints=np.repeat(each.keypoints[:1], 2, axis=0),
        visible=np.repeat(each.visible[:1], 2, axis=0),
        areas=np.repeat(each.areas[:1], 2),
    )
    right = each.keypoints[:1]
    pose_and_ghost = ScoredPoses(np.concatenate([right, right + 500]), np.ones(2))
    assert grouping_accuracy([twins], [pose_and_ghost]) == 0.5


def test_ghosts_cost_precision_only_when_they_rank_before_people() -> None:
    scenes = [scene("separated", 2, width=SIZE, height=SIZE)]
    (right,) = perfect_poses(scenes)
    ghosts = np.concatenate([right.keypoints, right.keypoints + 30])
    last = ScoredPoses(ghosts, np.repeat([0.9, 0.1], len(right.scores)))
    first = ScoredPoses(ghosts, np.repeat([0.1, 0.9], len(right.scores)))
    assert average_precision(scenes, [last]).ap == pytest.approx(1)
    assert average_precision(scenes, [first]).ap < 0.6


def test_no_poses_score_zero() -> None:
    scenes = [scene("separated", 2, width=SIZE, height=SIZE)]
    nothing = [ScoredPoses(np.zeros((0, 17, 2)), np.zeros(0))]
    assert average_precision(scenes, nothing).ap == 0
    assert grouping_accuracy(scenes, nothing) == 0


def test_a_pose_with_a_keypoint_that_is_not_finite_is_refused() -> None:
    scenes = [scene("separated", 2, width=SIZE, height=SIZE)]
    (poses,) = perfect_poses(scenes)
    poses.keypoints[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        average_precision(scenes, [poses])


def test_an_answer_for_no_scene_is_refused() -> None:
    scenes = [scene("separated", 2, width=SIZE, height=SIZE)]
    with pytest.raises(ValueError, match="2 answers for 1 scenes"):
        average_precision(scenes, perfect_poses(scenes) * 2)
