"""What the reference decoder gets wrong, and that the default does not.

Each test shows both: the flaw in `ReferenceDecoder`, so that the scene is known to provoke it, and
the right answer without.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Origin, Poses
from tests.reference.comparison import assert_identical, subset
from tests.reference.modes import decoder_for, options_for
from tests.reference.painting import Evidence, paint, suppress_non_maxima
from tests.reference.people_by_hand import (
    Maps,
    Spot,
    all_whole,
    network_output,
    spots,
    standing,
)

WIDTH, HEIGHT = 128, 96
NOSE, LEFT_EYE, LEFT_SHOULDER = 0, 1, 5


def decode(maps: Maps, *, reference: bool = False, refine: bool = True, **options: Any) -> Poses:
    """With the default grouping order for 17 keypoints, else in the order of the planes."""
    if len(maps[0]) != 17:
        options["grouping_order"] = tuple(range(len(maps[0])))
    decoder = decoder_for(options_for(reference=reference, **options))
    return decoder.decode(*maps, refine=refine)


def ours_and_reference(maps: Maps, **options: Any) -> tuple[Poses, Poses]:
    return decode(maps, **options), decode(maps, reference=True, **options)


def lone_person(*, amplitudes: float | NDArray[np.float64] = 0.8) -> Evidence:
    return standing(60.37, 48.33, tag=1.0, amplitudes=amplitudes)


@pytest.mark.parametrize("delta", [(0.5, 0.5), (0.86, 0.5), (-0.25, 2.0)])
def test_delta_moves_refined_keypoints_too(delta: tuple[float, float]) -> None:
    detected, weak = Spot(keypoint=0, x=10, y=12), Spot(keypoint=1, x=20, y=9, heat=0.05)
    maps = spots(detected, weak, keypoints=2, width=40, height=30)
    ours, reference = ours_and_reference(maps, delta=delta)
    for poses in (ours, reference):
        np.testing.assert_array_equal(poses.origins, [[Origin.DETECTED, Origin.INFERRED]])
    moved = np.array([[10, 12], [20, 9]]) + delta
    np.testing.assert_allclose(ours.keypoints, [moved], rtol=1e-6)
    np.testing.assert_allclose(reference.keypoints, [[moved[0], [20, 9]]], rtol=1e-6)


@pytest.mark.parametrize("delta", [(0.5, 0.5), (0.86, 0.25)])
def test_absent_keypoints_are_at_the_origin_whatever_delta_is(delta: tuple[float, float]) -> None:
    maps = spots(Spot(x=10, y=12), keypoints=2, width=40, height=30)
    ours, reference = ours_and_reference(maps, delta=delta)
    for poses in (ours, reference):
        assert poses.origins[0, 1] == Origin.ABSENT
    np.testing.assert_array_equal(ours.keypoints[0, 1], [0, 0])
    np.testing.assert_array_equal(reference.keypoints[0, 1], np.array(delta, np.float32))


PLATEAUS = {
    "two in a row": [(0, 0), (1, 0)],
    "two in a column": [(0, 0), (0, 1)],
    "three in a row": [(0, 0), (1, 0), (2, 0)],
    "two by two": [(0, 0), (1, 0), (0, 1), (1, 1)],
    "two with a lower cell between": [(0, 0), (2, 0)],
    "falling diagonal": [(0, 0), (1, 1), (2, 2)],
    "rising diagonal": [(0, 0), (-1, 1), (-2, 2)],
    "longer than the window": [(i, 0) for i in range(9)],
}


@pytest.mark.parametrize("nms", ["graph", "decoder"])
@pytest.mark.parametrize("cells", PLATEAUS.values(), ids=PLATEAUS.keys())
def test_a_plateau_is_one_peak(cells: list[tuple[int, int]], nms: str) -> None:
    maps, (x, y) = person_with_plateau(cells, nms)
    ours, reference = ours_and_reference(maps, nms=nms)
    assert len(ours) == 1
    assert (ours.origins == Origin.DETECTED).all()
    first = np.array([x, y]) + cells[0]
    assert (np.abs(ours.keypoints[0, LEFT_SHOULDER] - 0.5 - first) <= 0.5).all()
    assert len(reference) == len(cells)
    # A ghost is one cell of the plateau and, for all else, the person again.
    clones = (reference.origins[1:] == Origin.INFERRED).sum(axis=1)
    np.testing.assert_array_equal(clones, 16)


def person_with_plateau(
    cells: list[tuple[int, int]], nms: str
) -> tuple[Maps, tuple[np.intp, np.intp]]:
    """A person whose left shoulder is as warm in all these cells, and its first cell (x, y)."""
    people = lone_person()
    heatmaps, tags = paint(np.random.default_rng(0), people, width=WIDTH, height=HEIGHT)
    plane = heatmaps[LEFT_SHOULDER]
    y, x = np.unravel_index(plane.argmax(), plane.shape)
    for right, down in cells:
        plane[y + down, x + right] = plane.max()
        tags[LEFT_SHOULDER, y + down, x + right] = 1.0
    return (suppress_non_maxima(heatmaps) if nms == "graph" else heatmaps, tags), (x, y)


def test_peaks_rounded_to_bfloat16_open_no_ghosts() -> None:
    """Networks run in bfloat16 on some processors, and then some peaks are plateaus."""
    ghosts = {"ours": 0, "reference": 0}
    rng = np.random.default_rng(0)
    for _ in range(60):
        place = rng.uniform([50, 40], [70, 56])
        person = standing(*place, tag=1.0, amplitudes=rng.uniform(0.3, 1.0, size=17))
        heatmaps, tags = paint(rng, person, width=WIDTH, height=HEIGHT)
        maps = suppress_non_maxima(rounded_to_bfloat16(heatmaps)), tags
        ours, reference = ours_and_reference(maps)
        ghosts["ours"] += len(ours) - 1
        ghosts["reference"] += len(reference) - 1
    assert ghosts["ours"] == 0
    assert ghosts["reference"] >= 10


def rounded_to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """To the nearest value of eight bits of mantissa; ties away from zero will do here."""
    bits = values.view(np.uint32) + np.uint32(0x8000)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def test_two_people_whose_tags_are_close_are_told_apart() -> None:
    """The reference rounds tag distances to whole units, so these tags are equal to it."""
    rng = np.random.default_rng(0)
    wrong = {"ours": 0, "reference": 0}
    for _ in range(100):
        people = side_by_side(rng, tags=(1.0, 1.35), nearest=8, farthest=24)
        ours, reference = ours_and_reference(network_output(people, width=WIDTH, height=HEIGHT))
        wrong["ours"] += not all_whole(ours, people)
        wrong["reference"] += not all_whole(reference, people)
    assert wrong["ours"] == 0
    assert wrong["reference"] >= 50


def test_two_people_with_the_same_tag_are_told_apart_by_place() -> None:
    rng = np.random.default_rng(1)
    wrong = {"ours": 0, "reference": 0}
    for _ in range(50):
        people = side_by_side(rng, tags=(1.0, 1.0), nearest=28, farthest=54)
        ours, reference = ours_and_reference(network_output(people, width=WIDTH, height=HEIGHT))
        wrong["ours"] += not all_whole(ours, people)
        wrong["reference"] += not all_whole(reference, people)
    assert wrong["ours"] == 0
    assert wrong["reference"] >= 40


def side_by_side(
    rng: np.random.Generator, *, tags: tuple[float, float], nearest: int, farthest: int
) -> list[Evidence]:
    """Two people so many cells apart, each warmer than the other in some of the keypoints.

    They stand on fractions of cells that leave no plateau.
    """
    left = np.array([30.37, 45.33]) + rng.integers(-6, 7, size=2)
    right = left + [rng.integers(nearest, farthest, endpoint=True), rng.integers(-8, 9)]
    return [
        standing(*place, tag=tag, amplitudes=rng.uniform(0.3, 1.0, size=17))
        for place, tag in zip(rng.permutation([left, right]), tags, strict=True)
    ]


def test_a_candidate_on_a_poses_centre_takes_nobodys_place() -> None:
    """Of two tiny people the one's eye lies where the other's nose does.

    The reference divides by that distance of 0, so no other eye can join the nose any more.
    """
    noses = Spot(keypoint=NOSE, x=20, y=20, tag=0.0), Spot(keypoint=NOSE, x=24, y=20, tag=0.9)
    eyes = Spot(keypoint=1, x=23, y=19, tag=0.1), Spot(keypoint=1, x=20, y=20, tag=0.9)
    maps = spots(*noses, *eyes, keypoints=2, width=40, height=30)
    ours, reference = ours_and_reference(maps)
    assert pairs(ours) == {((20, 20), (23, 19)), ((24, 20), (20, 20))}
    assert pairs(reference) == {((20, 20), (20, 20)), ((24, 20), (23, 19))}


def test_a_stranger_on_a_poses_centre_opens_a_pose() -> None:
    nose = Spot(keypoint=NOSE, x=20, y=20, tag=0.0)
    eyes = Spot(keypoint=1, x=23, y=19, tag=0.1), Spot(keypoint=1, x=20, y=20, tag=0.9)
    maps = spots(nose, *eyes, keypoints=2, width=40, height=30)
    ours, reference = ours_and_reference(maps, refine=False)
    assert pairs(ours) == {((20, 20), (23, 19)), (None, (20, 20))}
    assert pairs(reference) == {((20, 20), (20, 20)), (None, (23, 19))}


def test_nose_and_eye_of_a_tiny_person_share_a_cell() -> None:
    tags_at = {20: 0.0, 23: 0.6}
    people = [Spot(keypoint=k, x=x, y=20, tag=tag) for x, tag in tags_at.items() for k in (0, 1)]
    maps = spots(*people, keypoints=2, width=40, height=30)
    for poses in ours_and_reference(maps):
        assert pairs(poses) == {((20, 20), (20, 20)), ((23, 20), (23, 20))}


def pairs(poses: Poses) -> set[tuple[tuple[int, int] | None, ...]]:
    """The cells of each pose's detected keypoints, None for the others."""
    return {
        tuple(
            (int(x), int(y)) if origin == Origin.DETECTED else None
            for (x, y), origin in zip(keypoints, origins, strict=True)
        )
        for keypoints, origins in zip(poses.keypoints, poses.origins, strict=True)
    }


@pytest.mark.parametrize("count", [30, 31, 40])
def test_a_crowd_is_complete(count: int) -> None:
    """The reference keeps 30 peaks of a type; its C++ sibling stopped at 30 poses."""
    people = [
        standing(12.37 + 24 * (i % 8), 26.33 + 50 * (i // 8), tag=2.0 * i, height=44,
                 amplitudes=0.9 - 0.01 * i)
        for i in range(count)
    ]  # fmt: skip
    ours, reference = ours_and_reference(network_output(people, width=200, height=260))
    assert all_whole(ours, people)
    assert all_whole(reference, people[:30])


def test_a_pose_whose_tag_is_far_from_all_others_clones_nobody() -> None:
    """A spurious peak must not become a second skeleton of whoever is in the frame."""
    person, ghost = lone_person(), np.zeros((1, 17))
    ghost[0, NOSE] = 0.4
    spurious = Evidence(np.full((1, 17, 2), 20.4), ghost, np.full((1, 17), 9.0))
    ours, reference = ours_and_reference(
        network_output([person, spurious], width=WIDTH, height=HEIGHT)
    )
    assert len(ours) == len(reference) == 2
    np.testing.assert_array_equal(ours.origins[1], [Origin.DETECTED] + [Origin.ABSENT] * 16)
    np.testing.assert_array_equal(reference.origins[1], [Origin.DETECTED] + [Origin.INFERRED] * 16)
    cells_apart = np.abs(reference.keypoints[1, 1:] - reference.keypoints[0, 1:]).max()
    assert cells_apart == pytest.approx(0.5)  # the delta that refined keypoints lack


@pytest.mark.parametrize("tag", [1.2, 1.0, -1.7])
def test_refine_takes_nothing_from_a_tag_as_far_as_the_threshold(tag: float) -> None:
    lone, other = Spot(keypoint=0, x=10, y=12), Spot(keypoint=1, x=20, y=9, heat=0.09, tag=tag)
    maps = spots(lone, other, keypoints=2, width=40, height=30, background_tag=30.0)
    ours, reference = ours_and_reference(maps)
    np.testing.assert_array_equal(ours.origins, [[Origin.DETECTED, Origin.ABSENT]])
    np.testing.assert_array_equal(reference.origins, [[Origin.DETECTED, Origin.INFERRED]])


def lone_head_and_hidden_wrists(*wrists: Spot) -> Maps:
    """A nose at (20, 20), and keypoint 1 wherever its heat stays below a peak's."""
    nose = Spot(keypoint=NOSE, x=20, y=20)
    return spots(nose, *wrists, keypoints=2, width=100, height=40, background_tag=30.0)


def test_refine_takes_nothing_from_far_away_whatever_its_tag() -> None:
    """The tags of two people can be near by chance; where their wrists are is no accident."""
    stranger = Spot(keypoint=1, x=80, y=20, heat=-0.8)
    ours, reference = ours_and_reference(lone_head_and_hidden_wrists(stranger))
    np.testing.assert_array_equal(ours.origins, [[Origin.DETECTED, Origin.ABSENT]])
    np.testing.assert_array_equal(reference.origins, [[Origin.DETECTED, Origin.INFERRED]])


@pytest.mark.parametrize("tag", [0.0, 0.75])
def test_refine_prefers_faint_heat_nearby_to_a_strangers_far_away(tag: float) -> None:
    own = Spot(keypoint=1, x=30, y=28, heat=0.05, tag=tag)
    stranger = Spot(keypoint=1, x=80, y=20, heat=-0.8)
    ours, reference = ours_and_reference(lone_head_and_hidden_wrists(own, stranger))
    np.testing.assert_array_equal(ours.keypoints[0, 1], [30.5, 28.5])
    np.testing.assert_array_equal(reference.keypoints[0, 1], [80, 20])


def test_refine_prefers_the_nearer_tag_to_more_heat() -> None:
    """In the reference one unit of heat outweighs one of tag distance."""
    maps = spots(
        Spot(keypoint=0, x=10, y=12, tag=0.0),
        Spot(keypoint=1, x=20, y=9, heat=0.05, tag=0.1),
        Spot(keypoint=1, x=30, y=20, heat=-1.3, tag=0.7),
        keypoints=2,
        width=40,
        height=30,
        background_tag=30.0,
    )
    ours, reference = ours_and_reference(maps)
    np.testing.assert_array_equal(ours.keypoints[0, 1], [20.5, 9.5])
    np.testing.assert_array_equal(reference.keypoints[0, 1], [30, 20])


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("nms", ["graph", "decoder"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("poisoned", ["heatmaps", "tags"])
@pytest.mark.parametrize("reach", [0, 8], ids=["cell", "keypoint"])
def test_what_is_no_number_stays_with_the_person_it_hit(
    reference: bool, nms: str, wrong: float, poisoned: str, reach: int
) -> None:
    """The original fails on NaN or spreads it; `ReferenceDecoder` does neither."""
    left, right = standing(30.37, 48.33, tag=1.0), standing(90.37, 48.33, tag=4.0)
    heatmaps, tags = network_output([left, right], width=WIDTH, height=HEIGHT)
    maps = (heatmaps if nms == "graph" else np.abs(heatmaps)), tags
    healthy = decode(maps, nms=nms, reference=reference)
    x, y = left.keypoints[0, LEFT_SHOULDER].astype(int)
    block = np.s_[LEFT_SHOULDER, y - reach : y + reach + 1, x - reach : x + reach + 1]
    maps[poisoned == "tags"][block] = wrong
    hit = decode(maps, nms=nms, reference=reference)

    assert len(hit) == len(healthy) == 2
    assert_identical(subset(hit, whose(hit, tag=4)), subset(healthy, whose(healthy, tag=4)))
    (i,), (j,) = whose(hit, tag=1), whose(healthy, tag=1)
    others = np.arange(17) != LEFT_SHOULDER
    np.testing.assert_array_equal(hit.keypoints[i, others], healthy.keypoints[j, others])
    if reach > 0:
        assert hit.origins[i, LEFT_SHOULDER] != Origin.DETECTED
    else:  # The next best cell takes the place.
        moved = hit.keypoints[i, LEFT_SHOULDER] - healthy.keypoints[j, LEFT_SHOULDER]
        assert 0 < np.abs(moved).max() <= 2
    for array in (hit.keypoints, hit.keypoint_scores, hit.scores, hit.tags):
        assert np.isfinite(array).all()


def whose(poses: Poses, *, tag: float) -> list[int]:
    return np.flatnonzero(np.abs(poses.tags[:, 0] - tag) < 0.5).tolist()


@pytest.mark.parametrize(
    ("x", "y", "refined"),
    [
        (1.3, 12.7, (True, True)),
        (15.3, 1.6, (True, True)),
        (1.3, 1.6, (True, True)),
        (0.3, 12.7, (False, True)),
        (39.7, 12.7, (False, True)),
        (15.3, 0.3, (True, False)),
        (15.3, 29.7, (True, False)),
        (0.3, 29.7, (False, False)),
    ],
)
def test_a_peak_near_the_border_is_adjusted_where_it_has_neighbours(
    x: float, y: float, refined: tuple[bool, bool]
) -> None:
    peak = Evidence(np.array([[[x, y]]]), np.array([[0.8]]), np.array([[0.0]]))
    ours, reference = ours_and_reference(network_output([peak], width=40, height=30))
    centre = np.floor([x, y]) + 0.5
    np.testing.assert_array_equal(reference.keypoints, [[centre]])
    np.testing.assert_array_equal(ours.keypoints[0, 0] != centre, refined)
    fitted = np.where(refined, [x, y], centre)
    np.testing.assert_allclose(ours.keypoints[0, 0], fitted, rtol=0, atol=0.02)


@pytest.mark.parametrize(("x", "y"), [(38.3, 12.7), (15.3, 28.4), (38.3, 28.4)])
def test_both_adjust_a_peak_with_one_cell_between_it_and_the_far_border(x: float, y: float) -> None:
    """The reference skips cell 1 but not the one before the last."""
    peak = Evidence(np.array([[[x, y]]]), np.array([[0.8]]), np.array([[0.0]]))
    ours, reference = ours_and_reference(network_output([peak], width=40, height=30))
    np.testing.assert_allclose(ours.keypoints, [[[x, y]]], rtol=0, atol=0.02)
    np.testing.assert_allclose(reference.keypoints, [[[x, y]]], rtol=0, atol=0.15)


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 2), (3, 2), (5, 5), (29, 1), (1, 29)])
def test_maps_of_fewer_cells_than_peaks_are_decoded(
    width: int, height: int, reference: bool
) -> None:
    """The original asks for the 30 greatest of fewer cells, and fails."""
    corner = Spot(x=width - 1, y=height - 1, heat=0.75)
    poses = decode(spots(corner, keypoints=1, width=width, height=height), reference=reference)
    np.testing.assert_array_equal(poses.keypoints, [[[width - 0.5, height - 0.5]]])
    np.testing.assert_array_equal(poses.scores, np.array([0.75], np.float32))


def test_heat_above_one_is_a_score_of_one() -> None:
    hot, refined = Spot(keypoint=0, x=10, y=12, heat=1.3), Spot(keypoint=1, x=20, y=9, heat=-1.2)
    maps = spots(hot, refined, keypoints=2, width=40, height=30)
    ours, reference = ours_and_reference(maps)
    np.testing.assert_array_equal(ours.origins, [[Origin.DETECTED, Origin.INFERRED]])
    np.testing.assert_array_equal(ours.keypoint_scores, [[1, 1]])
    np.testing.assert_array_equal(ours.scores, [0.5])
    np.testing.assert_array_equal(reference.keypoint_scores, np.array([[1.3, 1.2]], np.float32))
    np.testing.assert_array_equal(reference.scores, np.array([0.65], np.float32))


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("delta", [(0.5, 0.5), (0.0, 0.0)])
def test_negative_zero_is_zero(reference: bool, delta: tuple[float, float]) -> None:
    """Networks that negate suppressed cells turn their zeros into negative ones."""
    heatmaps, tags = network_output([lone_person()], width=WIDTH, height=HEIGHT)
    heatmaps[LEFT_EYE] = 0
    heatmaps[NOSE, 0, 0] = 0.9
    negative = np.where(heatmaps == 0, np.float32(-0.0), heatmaps)
    assert np.signbit(negative).sum() > np.signbit(heatmaps).sum()
    options: dict[str, Any] = {"reference": reference, "delta": delta}
    poses = decode((negative, tags), **options)
    assert_identical(poses, decode((heatmaps, tags), **options))
    for array in (poses.keypoints, poses.keypoint_scores, poses.scores):
        assert not np.signbit(array).any()
