"""The reference decoder is that of Open Model Zoo's accuracy checker, and so is its oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from posewire_decoder import Origin, Poses, ReferenceDecoder, ReferenceOptions
from tests.reference import decoder as oracle
from tests.reference.comparison import assert_identical
from tests.reference.people_by_hand import Spot, network_output, spots, standing

GOLDEN = Path(__file__).parents[2] / "golden" / "decode_accuracy_checker.npz"
SCENE_COUNT = 16

Floats = NDArray[np.float32]
Decode = Callable[[Floats, Floats], Poses]


def compiled(heatmaps: Floats, tags: Floats) -> Poses:
    return ReferenceDecoder(options_for(heatmaps)).decode(heatmaps, tags)


def readable(heatmaps: Floats, tags: Floats) -> Poses:
    return oracle.decode(heatmaps, tags[..., None], options_for(heatmaps))


def options_for(heatmaps: Floats) -> ReferenceOptions:
    if len(heatmaps) == 17:
        return ReferenceOptions()
    return ReferenceOptions(grouping_order=tuple(range(len(heatmaps))))


@pytest.fixture(params=[compiled, readable], ids=["compiled", "oracle"])
def decode(request: pytest.FixtureRequest) -> Decode:
    chosen: Decode = request.param
    return chosen


@pytest.fixture(scope="module")
def golden() -> Iterator[NpzFile]:
    with np.load(GOLDEN) as arrays:
        yield arrays


def test_the_golden_file_is_whole(golden: NpzFile) -> None:
    names = ("heatmaps", "tags", "poses", "scores")
    assert set(golden) == {f"{name}_{i:03}" for name in names for i in range(SCENE_COUNT)}
    assert sum(len(golden[f"poses_{i:03}"]) for i in range(SCENE_COUNT)) > 200


@pytest.mark.parametrize("i", range(SCENE_COUNT))
def test_the_golden_answers_come_out(i: int, golden: NpzFile, decode: Decode) -> None:
    expected = golden[f"poses_{i:03}"]
    poses = decode(golden[f"heatmaps_{i:03}"], golden[f"tags_{i:03}"])
    assert poses.keypoints.shape == (*expected.shape[:2], 2)
    np.testing.assert_allclose(poses.keypoints, expected[..., :2], rtol=0, atol=1e-4)
    np.testing.assert_array_equal(poses.keypoint_scores, expected[..., 2])
    np.testing.assert_allclose(poses.scores, golden[f"scores_{i:03}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("i", range(SCENE_COUNT))
def test_origins_and_tags_fit_the_golden_answers(i: int, golden: NpzFile, decode: Decode) -> None:
    """The reference stores a tag with each keypoint that it detected, and 0 with all others."""
    scores, tags = golden[f"poses_{i:03}"][..., 2:].transpose(2, 0, 1)
    poses = decode(golden[f"heatmaps_{i:03}"], golden[f"tags_{i:03}"])
    detected = tags != 0
    np.testing.assert_array_equal(poses.origins == Origin.DETECTED, detected)
    np.testing.assert_array_equal(poses.origins == Origin.ABSENT, scores == 0)
    mean_tags = tags.sum(axis=1) / detected.sum(axis=1)
    np.testing.assert_allclose(poses.tags[:, 0], mean_tags, rtol=0, atol=1e-5)


@pytest.mark.parametrize("height", [1, 2, 64])
@pytest.mark.parametrize("width", [1, 3, 80])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_maps_without_heat_have_no_poses(
    height: int, width: int, zero: float, decode: Decode
) -> None:
    maps = np.full((17, height, width), zero, np.float32)
    poses = decode(maps, maps)
    assert poses.keypoints.shape == (0, 17, 2)
    assert poses.keypoint_scores.shape == poses.origins.shape == (0, 17)
    assert poses.scores.shape == (0,)
    assert poses.tags.shape == (0, 1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (5, 5), (29, 1)])
def test_maps_of_fewer_cells_than_peaks_are_kept(width: int, height: int, decode: Decode) -> None:
    """The original asks NumPy for the 30 greatest of fewer cells, and fails."""
    corner = Spot(x=width - 1, y=height - 1, heat=0.75, tag=2.0)
    poses = decode(*spots(corner, keypoints=1, width=width, height=height))
    np.testing.assert_array_equal(poses.keypoints, [[[width - 0.5, height - 0.5]]])
    np.testing.assert_array_equal(poses.scores, np.array([0.75], np.float32))
    np.testing.assert_array_equal(poses.tags, [[2.0]])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_heat_that_is_no_number_counts_as_none(wrong: float, decode: Decode) -> None:
    """The original keeps a place among the 30 peaks for each NaN, and takes infinite heat."""
    heatmaps, tags = two_people()
    heatmaps[:, 5:9, 5:9] = 0
    without = decode(heatmaps, tags)
    heatmaps[:, 5:9, 5:9] = wrong
    assert_identical(decode(heatmaps, tags), without)
    assert len(without) == 2


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_cell_whose_tag_is_no_number_is_nobodys(wrong: float, decode: Decode) -> None:
    """The original's solver refuses the whole frame."""
    heatmaps, tags = two_people()
    without = decode(heatmaps, tags)
    heatmaps[3, 6, 6] = heatmaps[4, 7, 7] = 0.9
    tags[3, 6, 6] = tags[4, 7, 7] = wrong
    assert_identical(decode(heatmaps, tags), without)
    assert len(without) == 2


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("poisoned", ["heatmaps", "tags", "both"])
def test_maps_without_a_number_have_no_poses(wrong: float, poisoned: str, decode: Decode) -> None:
    heatmaps, tags = two_people()
    if poisoned != "tags":
        heatmaps[:] = wrong
    if poisoned != "heatmaps":
        tags[:] = wrong
    assert len(decode(heatmaps, tags)) == 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_plane_of_tags_that_are_no_numbers_leaves_its_keypoint_out(
    wrong: float, decode: Decode
) -> None:
    heatmaps, tags = two_people()
    heatmaps[9, 0, 0] = 0.9
    tags[9] = wrong
    poses = decode(heatmaps, tags)
    assert (poses.origins[:, 9] == Origin.ABSENT).all()
    assert (np.delete(poses.origins, 9, axis=1) == Origin.DETECTED).all()


def two_people() -> tuple[Floats, Floats]:
    people = [standing(35.37, 42.33, tag=1.0), standing(75.37, 46.33, tag=4.0)]
    return network_output(people, width=104, height=88)
