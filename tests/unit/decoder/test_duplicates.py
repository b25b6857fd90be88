from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Origin, join_duplicates
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.skeleton import COCO
from tests.reference.colour_network import person_at

SPACING = 20.0  # the keypoints of a person fill a box of 80x60
HERE = person_at(100, 100, SPACING)
UPPER = np.arange(17) < 9


class Pose:
    """Detected throughout by default; `heat` is that of every keypoint."""

    def __init__(
        self,
        keypoints: NDArray[np.float64],
        heat: float | NDArray[np.float64],
        *,
        inferred: NDArray[np.bool_] | bool = False,
        absent: NDArray[np.bool_] | bool = False,
    ) -> None:
        origins = np.where(inferred, Origin.INFERRED, np.full(17, Origin.DETECTED))
        self.origins = np.where(absent, Origin.ABSENT, origins)
        there = self.origins != Origin.ABSENT
        self.keypoints = keypoints * there[:, None]
        self.heat = heat * there
        self.score = float((self.heat * (self.origins == Origin.DETECTED)).mean())


def frame_poses(*poses: Pose) -> FramePoses:
    """The best first."""
    ordered = sorted(poses, key=lambda pose: -pose.score)
    return FramePoses(
        np.array([pose.keypoints for pose in ordered], np.float32).reshape(-1, 17, 2),
        np.array([pose.heat for pose in ordered], np.float32).reshape(-1, 17),
        np.array([pose.origins for pose in ordered], np.uint8).reshape(-1, 17),
        np.array([pose.score for pose in ordered], np.float32),
    )


def people(*poses: Pose) -> FramePoses:
    return join(frame_poses(*poses))


def join(poses: FramePoses) -> FramePoses:
    return FramePoses(
        *join_duplicates(
            poses.keypoints,
            poses.keypoint_scores,
            poses.origins,
            oks_sigmas=COCO.oks_sigmas,
            oks_threshold=0.5,
        )
    )


def test_two_poses_of_one_person_become_one_with_the_warmest_keypoints() -> None:
    heat = np.where(UPPER, 0.9, 0.5)
    found = people(Pose(HERE, heat), Pose(HERE + [2, 1], 0.6))
    assert len(found) == 1
    np.testing.assert_allclose(found.keypoints[0, UPPER], HERE[UPPER])
    np.testing.assert_allclose(found.keypoints[0, ~UPPER], HERE[~UPPER] + [2, 1])
    assert found.scores[0] == pytest.approx((9 * 0.9 + 8 * 0.6) / 17)


def test_the_halves_of_a_split_person_are_joined() -> None:
    upper = Pose(HERE, np.where(UPPER, 0.8, 0.1), inferred=~UPPER)
    lower = Pose(HERE + [1, 0], np.where(UPPER, 0.1, 0.7), inferred=UPPER)
    found = people(upper, lower)
    assert len(found) == 1
    assert (found.origins == Origin.DETECTED).all()
    assert found.scores[0] == pytest.approx((9 * 0.8 + 8 * 0.7) / 17)


def test_a_stray_peak_with_a_persons_keypoints_is_no_second_person() -> None:
    stray = np.arange(17) == 9
    strayed = HERE + np.where(stray, 40.0, 1.0)[:, None]
    found = people(Pose(HERE, 0.8), Pose(strayed, np.where(stray, 0.3, 0.9), inferred=~stray))
    assert len(found) == 1
    np.testing.assert_allclose(found.keypoints[0], HERE)
    assert found.scores[0] == pytest.approx(0.8)


@pytest.mark.parametrize(
    "other",
    [HERE + [80, 0], HERE + [30, 0], person_at(100, 100, 0.55 * SPACING)],
    ids=["side by side", "half behind", "small in front"],
)
def test_people_who_are_close_stay_two(other: NDArray[np.float64]) -> None:
    found = people(Pose(HERE, 0.9), Pose(other, 0.8))
    np.testing.assert_array_equal(found.keypoints, np.array([HERE, other], np.float32))
    np.testing.assert_allclose(found.scores, [0.9, 0.8], rtol=1e-6)


def test_a_few_keypoints_that_lie_on_a_person_are_that_persons() -> None:
    few = Pose(HERE + [1, 1], 0.7, absent=np.arange(17) > 3)
    assert len(people(Pose(HERE, 0.8), few)) == 1


def test_one_keypoint_in_common_does_not_make_one_person() -> None:
    upper = Pose(HERE, 0.8, absent=~UPPER)
    lower = Pose(HERE, 0.7, absent=UPPER & (np.arange(17) != 8))
    assert len(people(upper, lower)) == 2


def test_keypoints_that_neither_has_are_none_in_common() -> None:
    assert len(people(*(Pose(HERE + [x, 0], 0.8, absent=UPPER) for x in (0, 30)))) == 2


def test_poses_of_one_keypoint_have_an_area() -> None:
    only = np.arange(17) != 0
    apart, same = HERE + [3, 0], HERE + [0.02, 0]
    poses = [Pose(each, heat, absent=only) for each, heat in ((HERE, 0.9), (apart, 0.8))]
    assert len(people(*poses)) == 2
    assert len(people(*poses, Pose(same, 0.7, absent=only))) == 2


def test_a_duplicate_has_no_duplicates_of_its_own() -> None:
    found = people(*(Pose(HERE + [step, 0], 0.9 - 0.01 * step) for step in (0, 6, 12)))
    np.testing.assert_allclose(found.keypoints[:, 0, 0], HERE[0, 0] + [0, 12])


def test_whoever_gains_peaks_may_become_the_best() -> None:
    upper = Pose(HERE, np.where(UPPER, 0.9, 0.1), inferred=~UPPER)
    lower = Pose(HERE, np.where(UPPER, 0.1, 0.9), inferred=UPPER)
    found = people(Pose(HERE + [200, 0], 0.6), upper, lower)
    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-6)
    np.testing.assert_allclose(found.keypoints[0], HERE)


def test_where_the_frame_lies_and_its_size_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    poses = [Pose(HERE + rng.normal(0, 12, (1, 2)), rng.uniform(0.2, 1, 17)) for _ in range(12)]
    found = people(*poses)
    assert 1 < len(found) < 12
    for pose in poses:
        pose.keypoints = 4 * pose.keypoints + [1000, -300]
    moved = people(*poses)
    np.testing.assert_array_equal(moved.scores, found.scores)
    np.testing.assert_allclose(moved.keypoints, 4 * found.keypoints + [1000, -300], rtol=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one_alone_stay_as_they_are(count: int) -> None:
    given = frame_poses(*[Pose(HERE, 0.5)] * count)
    found = join(given)
    for field in fields(FramePoses):
        np.testing.assert_array_equal(
            getattr(found, field.name), getattr(given, field.name), strict=True
        )
