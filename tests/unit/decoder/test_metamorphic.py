"""What a change of the maps must do to the poses, whatever the poses are.

The scenes are painted; nothing here knows where their people stand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import DecoderOptions, Origin, Poses, ReferenceOptions
from tests.reference.comparison import assert_identical
from tests.reference.modes import Options, decoder_for
from tests.reference.painting import Evidence
from tests.reference.people import MIRROR
from tests.reference.people_by_hand import Maps, network_output, standing
from tests.reference.scenes import KINDS, Kind, scene

WIDTH, HEIGHT = 120, 104
SEEDS = range(4)
# Float32 holds coordinates below 256 to this.
ROUNDING = 2e-5

either_mode = pytest.mark.parametrize(
    "options", [DecoderOptions(), ReferenceOptions()], ids=["default", "reference"]
)
every_kind = pytest.mark.parametrize("kind", KINDS)


def decode(maps: Maps, options: Options) -> Poses:
    return decoder_for(options).decode(*(np.ascontiguousarray(each) for each in maps))


def painted(kind: Kind, seed: int) -> Maps:
    each = scene(kind, seed, width=WIDTH, height=HEIGHT)
    return each.heatmaps, each.tags


def on_canvas(maps: Maps, *, x: int, y: int, width: int, height: int) -> Maps:
    """The maps with their corner at (x, y) of larger ones that are zero elsewhere."""
    heatmaps, tags = (np.zeros((len(each), height, width), np.float32) for each in maps)
    for canvas, each in zip((heatmaps, tags), maps, strict=True):
        canvas[:, y : y + each.shape[1], x : x + each.shape[2]] = each
    return heatmaps, tags


@either_mode
@every_kind
@pytest.mark.parametrize(("x", "y"), [(4, 7), (16, 8), (21, 3), (40, 40)])
def test_shifted_maps_have_shifted_poses(x: int, y: int, kind: Kind, options: Options) -> None:
    for seed in SEEDS:
        maps = painted(kind, seed)
        still = decode(on_canvas(maps, x=3, y=3, width=WIDTH + 6, height=HEIGHT + 6), options)
        moved = decode(on_canvas(maps, x=x, y=y, width=WIDTH + 48, height=HEIGHT + 47), options)
        shift = np.where(still.origins == Origin.ABSENT, 0, 1)[..., None] * [x - 3, y - 3]
        np.testing.assert_allclose(moved.keypoints, still.keypoints + shift, rtol=0, atol=ROUNDING)
        assert_identical(replace(moved, keypoints=still.keypoints), still)


@either_mode
@every_kind
def test_transposed_maps_have_transposed_poses(kind: Kind, options: Options) -> None:
    """Tiles are wider than high, so other cells share one."""
    for seed in SEEDS:
        heatmaps, tags = painted(kind, seed)
        upright = decode((heatmaps, tags), options)
        turned = decode((heatmaps.swapaxes(1, 2), tags.swapaxes(1, 2)), options)
        assert_identical(replace(turned, keypoints=turned.keypoints[..., ::-1]), upright)


@either_mode
@every_kind
def test_negated_tags_change_nothing_but_tags(kind: Kind, options: Options) -> None:
    for seed in SEEDS:
        heatmaps, tags = painted(kind, seed)
        poses = decode((heatmaps, tags), options)
        negated = decode((heatmaps, -tags), options)
        assert_identical(replace(negated, tags=-negated.tags), poses)


@either_mode
@every_kind
@pytest.mark.parametrize("constant", [-8.0, 0.75, 32.0])
def test_a_constant_added_to_all_tags_changes_nothing_but_tags(
    constant: float, kind: Kind, options: Options
) -> None:
    for seed in SEEDS:
        heatmaps, tags = painted(kind, seed)
        tags = np.round(tags * 256) / np.float32(256)  # so that adding is exact
        poses = decode((heatmaps, tags), options)
        moved = decode((heatmaps, tags + np.float32(constant)), options)
        np.testing.assert_allclose(moved.tags, poses.tags + constant, rtol=0, atol=ROUNDING)
        assert_identical(replace(moved, tags=poses.tags), poses)


@either_mode
@every_kind
def test_a_keypoint_that_nobody_has_only_dilutes_scores(kind: Kind, options: Options) -> None:
    eighteen = replace(options, grouping_order=(17, *options.grouping_order))
    for seed in SEEDS:
        heatmaps, tags = painted(kind, seed)
        poses = decode((heatmaps, tags), options)
        more = decode((with_empty_plane(heatmaps), with_empty_plane(tags)), eighteen)
        np.testing.assert_array_equal(more.origins[:, 17], Origin.ABSENT)
        np.testing.assert_array_equal(more.keypoints[:, :17], poses.keypoints)
        np.testing.assert_array_equal(more.tags, poses.tags)
        np.testing.assert_allclose(more.scores, poses.scores * 17 / 18, rtol=1e-6)


def with_empty_plane(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([maps, np.zeros_like(maps[:1])])


@either_mode
@every_kind
def test_the_numbering_of_keypoints_means_nothing(kind: Kind, options: Options) -> None:
    shuffled = np.random.default_rng(0).permutation(17)
    place = np.argsort(shuffled)
    order = tuple(place[list(options.grouping_order)].tolist())
    for seed in SEEDS:
        heatmaps, tags = painted(kind, seed)
        poses = decode((heatmaps, tags), options)
        renumbered = decode(
            (heatmaps[shuffled], tags[shuffled]), replace(options, grouping_order=order)
        )
        np.testing.assert_allclose(renumbered.scores, poses.scores, rtol=1e-6)
        back = replace(
            renumbered,
            keypoints=renumbered.keypoints[:, place],
            keypoint_scores=renumbered.keypoint_scores[:, place],
            origins=renumbered.origins[:, place],
            scores=poses.scores,
        )
        assert_identical(back, poses)


def people_apart() -> list[Evidence]:
    """Three people, each keypoint warmer at the first than at the second, and so on."""
    rng = np.random.default_rng(0)
    return [
        standing(x, y, tag=tag, amplitudes=rng.uniform(low, low + 0.2, size=17))
        for x, y, tag, low in (
            (24.37, 45.33, 1.0, 0.75),
            (61.81, 50.72, 3.5, 0.5),
            (94.19, 47.14, -2.0, 0.25),
        )
    ]


@either_mode
@pytest.mark.parametrize("delta", [(0.5, 0.5), (0.86, 0.5), (0.0, 0.0)])
def test_mirrored_people_have_mirrored_poses(delta: tuple[float, float], options: Options) -> None:
    """Left is right in the mirror, and delta points to the right in both."""
    options = replace(options, delta=delta)
    heatmaps, tags = network_output(people_apart(), width=WIDTH, height=HEIGHT)
    poses = decode((heatmaps, tags), options)
    mirrored = decode((heatmaps[MIRROR, :, ::-1], tags[MIRROR, :, ::-1]), options)
    assert len(poses) == 3
    assert (poses.origins == Origin.DETECTED).all()
    back = mirrored.keypoints[:, MIRROR]
    back[..., 0] = (WIDTH - 1) - (back[..., 0] - delta[0]) + delta[0]
    np.testing.assert_allclose(back, poses.keypoints, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(mirrored.keypoint_scores[:, MIRROR], poses.keypoint_scores)
    np.testing.assert_allclose(mirrored.scores, poses.scores, rtol=1e-6)


@either_mode
def test_the_order_in_which_people_are_painted_means_nothing(options: Options) -> None:
    people = people_apart()
    poses = decode(network_output(people, width=WIDTH, height=HEIGHT), options)
    for order in ([2, 0, 1], [1, 0, 2], [2, 1, 0]):
        shuffled = [people[i] for i in order]
        maps = network_output(shuffled, width=WIDTH, height=HEIGHT)
        assert_identical(decode(maps, options), poses)


@either_mode
@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2], [2, 1, 0]])
def test_people_who_swap_tags_stay_where_they_are(order: list[int], options: Options) -> None:
    people = people_apart()
    swapped = [
        replace(person, tags=people[i].tags) for person, i in zip(people, order, strict=True)
    ]
    poses, after = (
        decode(network_output(each, width=WIDTH, height=HEIGHT), options)
        for each in (people, swapped)
    )
    assert len(poses) == 3
    assert_identical(after, replace(poses, tags=poses.tags[order]))


@either_mode
def test_half_the_heat_is_half_the_score_in_the_same_place(options: Options) -> None:
    heatmaps, tags = network_output(people_apart(), width=WIDTH, height=HEIGHT)
    poses = decode((heatmaps, tags), options)
    half = np.float32(0.5)
    halved = decode((heatmaps * half, tags), options)
    assert len(poses) == 3
    assert_identical(
        halved,
        replace(poses, keypoint_scores=poses.keypoint_scores * half, scores=poses.scores * half),
    )
