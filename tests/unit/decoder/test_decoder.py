"""What `posewire_decoder` promises whatever the network was."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any, Literal

import numpy as np
import pytest

from posewire_decoder import (
    Decoder,
    DecoderOptions,
    Origin,
    Poses,
    ReferenceDecoder,
    ReferenceOptions,
)
from tests.reference.comparison import assert_identical, subset
from tests.reference.modes import Options, decoder_for, options_for
from tests.reference.people_by_hand import Maps, Spot, network_output, owners, spots, standing
from tests.reference.scenes import KINDS, Kind, scene

WIDTH, HEIGHT = 128, 96


def decode(maps: Maps, *, options: Options | None = None, **call: Any) -> Poses:
    """With the natural grouping order where there are fewer keypoints than COCO's."""
    options = options or DecoderOptions()
    if len(maps[0]) != 17:
        options = replace(options, grouping_order=tuple(range(len(maps[0]))))
    return decoder_for(options).decode(*maps, **call)


def three_people() -> Maps:
    """Of scores 0.4, 0.8 and 0.6 from left to right."""
    people = [
        standing(x, 48.33, tag=tag, amplitudes=amplitude)
        for x, tag, amplitude in ((20.37, 0.0, 0.4), (60.37, 3.0, 0.8), (100.37, -3.0, 0.6))
    ]
    return network_output(people, width=WIDTH, height=HEIGHT)


def in_a_row(*heats: float) -> Maps:
    """One person whose keypoints are single cells of this heat, four cells apart."""
    found = [Spot(keypoint=k, x=10 + 4 * k, y=12, heat=heat) for k, heat in enumerate(heats)]
    return spots(*found, keypoints=len(heats), width=40, height=30)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_arrays_have_their_shapes_and_types(count: int) -> None:
    heatmaps, tags = three_people()
    heatmaps[:, :, 40 * count :] = 0
    poses = decode((heatmaps, tags))
    described = {field.name: getattr(poses, field.name) for field in fields(Poses)}
    assert {name: (each.shape, each.dtype.name) for name, each in described.items()} == {
        "keypoints": ((count, 17, 2), "float32"),
        "keypoint_scores": ((count, 17), "float32"),
        "origins": ((count, 17), "uint8"),
        "scores": ((count,), "float32"),
        "tags": ((count, 1), "float32"),
    }
    assert all(each.flags.c_contiguous and each.flags.owndata for each in described.values())
    assert len(poses) == count


def test_keypoints_are_where_they_were_painted() -> None:
    people = [standing(40.37, 48.33, tag=1.0), standing(88.81, 45.66, tag=-1.0)]
    poses = decode(network_output(people, width=WIDTH, height=HEIGHT))
    np.testing.assert_array_equal(np.sort(owners(poses, people)[:, 0]), [0, 1])
    truth = np.array([people[i].keypoints[0] for i in owners(poses, people)[:, 0]])
    np.testing.assert_allclose(poses.keypoints, truth, rtol=0, atol=0.02)
    assert (poses.origins == Origin.DETECTED).all()


def test_scores_and_tags_are_those_of_the_cells() -> None:
    maps = spots(
        Spot(keypoint=0, x=10, y=12, heat=0.75, tag=1.0),
        Spot(keypoint=1, x=14, y=12, heat=0.5, tag=1.5),
        Spot(keypoint=2, x=18, y=12, heat=0.0625, tag=1.75),
        keypoints=3,
        width=40,
        height=30,
    )
    poses = decode(maps)
    np.testing.assert_array_equal(poses.keypoint_scores, [[0.75, 0.5, 0.0625]])
    origins = [Origin.DETECTED, Origin.DETECTED, Origin.INFERRED]
    np.testing.assert_array_equal(poses.origins, [origins])
    np.testing.assert_array_equal(poses.scores, np.array([1.25 / 3], np.float32))
    np.testing.assert_array_equal(poses.tags, [[1.25]])


def test_poses_come_best_first() -> None:
    poses = decode(three_people())
    np.testing.assert_array_equal(np.round(poses.tags[:, 0]), [3, -3, 0])
    assert (np.diff(poses.scores) < 0).all()


def test_the_reference_lists_poses_as_they_were_opened() -> None:
    """Without noses they open with their left eyes, the warmest first."""
    heatmaps, tags = three_people()
    heatmaps[0] = 0
    heatmaps[1, :, 40:80] *= 0.7  # to less than the person's on the right
    poses = decode((heatmaps, tags), options=ReferenceOptions())
    np.testing.assert_array_equal(np.round(poses.tags[:, 0]), [-3, 3, 0])
    assert poses.scores.argmax() == 1


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("max_poses", [1, 2, 3, 1000])
def test_max_poses_keeps_the_best(max_poses: int, reference: bool) -> None:
    options = options_for(reference=reference)
    everybody = decode(three_people(), options=options)
    best = np.sort(np.argsort(-everybody.scores)[:max_poses]).tolist()
    kept = decode(three_people(), options=options, max_poses=max_poses)
    assert_identical(kept, subset(everybody, best))


def test_min_pose_score_drops_what_scores_lower() -> None:
    """By the score before refine, which would otherwise lift the second pose over the bar."""
    maps = spots(
        Spot(keypoint=0, x=10, y=12, heat=0.5, tag=0.0),
        Spot(keypoint=1, x=14, y=12, heat=0.5, tag=0.0),
        Spot(keypoint=0, x=30, y=12, heat=0.75, tag=5.0),
        Spot(keypoint=1, x=34, y=12, heat=-0.75, tag=5.0),
        keypoints=2,
        width=40,
        height=30,
    )
    assert decode(maps, min_pose_score=0.375).scores.tolist() == [0.5, 0.375]
    assert decode(maps, min_pose_score=0.3751).scores.tolist() == [0.5]
    assert decode(maps, min_pose_score=0.5).scores.tolist() == [0.5]
    assert decode(maps, min_pose_score=0.5001).scores.tolist() == []


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
def test_min_keypoint_score_reports_weaker_keypoints_as_absent(reference: bool) -> None:
    maps = in_a_row(0.5, 0.25, 0.0625)
    options = options_for(reference=reference)
    everything = decode(maps, options=options)
    assert len(everything) == 1
    for bar, shown in ((0.0625, 3), (0.07, 2), (0.25, 2), (0.26, 1), (0.5, 1)):
        poses = decode(maps, options=options, min_keypoint_score=bar)
        np.testing.assert_array_equal(poses.keypoints[0, :shown], everything.keypoints[0, :shown])
        np.testing.assert_array_equal(poses.origins[0, shown:], Origin.ABSENT)
        np.testing.assert_array_equal(poses.keypoints[0, shown:], 0)
        np.testing.assert_array_equal(poses.keypoint_scores[0, shown:], 0)
        np.testing.assert_array_equal(poses.scores, everything.scores)


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
def test_a_pose_without_a_keypoint_to_show_is_dropped(reference: bool) -> None:
    options = options_for(reference=reference)
    everybody = decode(three_people(), options=options)
    shown = decode(three_people(), options=options, min_keypoint_score=0.5)
    warm = [i for i in range(3) if everybody.keypoint_scores[i].max() >= 0.5]
    assert len(warm) == 2
    np.testing.assert_array_equal(shown.scores, everybody.scores[warm])
    np.testing.assert_array_equal(shown.tags, everybody.tags[warm])


def test_without_refine_only_peaks_are_reported() -> None:
    painted = scene("noisy", 3, width=WIDTH, height=HEIGHT)
    filled = Decoder().decode(painted.heatmaps, painted.tags)
    bare = Decoder().decode(painted.heatmaps, painted.tags, refine=False)
    inferred = filled.origins == Origin.INFERRED
    assert inferred.any()
    expected = Poses(
        np.where(inferred[..., None], np.float32(0), filled.keypoints),
        np.where(inferred, np.float32(0), filled.keypoint_scores),
        np.where(inferred, np.uint8(Origin.ABSENT), filled.origins),
        filled.scores,
        filled.tags,
    )
    assert_identical(bare, expected)


@pytest.mark.parametrize(("heat", "found"), [(0.3, 0), (0.3001, 1)])
def test_a_peak_exceeds_the_detection_threshold(heat: float, found: int) -> None:
    options = DecoderOptions(detection_threshold=float(np.float32(0.3)))
    assert len(decode(in_a_row(heat), options=options)) == found


@pytest.mark.parametrize(
    ("gap", "reference", "count"),
    [(0.5, True, 2), (0.499, True, 1), (0.5, False, 2), (0.1, False, 1)],
)
def test_a_peak_joins_a_pose_only_nearer_than_the_tag_threshold(
    gap: float, reference: bool, count: int
) -> None:
    heatmaps, tags = in_a_row(0.8, 0.8)
    tags[1] = gap
    options = options_for(reference=reference, tag_threshold=0.5)
    assert len(decode((heatmaps, tags), options=options)) == count


@pytest.mark.parametrize(("heat", "origin"), [(0.0625, Origin.ABSENT), (0.0626, Origin.INFERRED)])
def test_refine_wants_heat_above_its_threshold(heat: float, origin: Origin) -> None:
    options = DecoderOptions(refine_threshold=0.0625)
    assert decode(in_a_row(0.8, heat), options=options).origins[0, 1] == origin


def test_max_peaks_keeps_the_warmest() -> None:
    noses = [Spot(x=5 * i + 2, y=12, heat=0.2 + 0.1 * i, tag=3.0 * i) for i in range(6)]
    maps = spots(*noses, keypoints=1, width=40, height=30)
    poses = decode(maps, options=DecoderOptions(max_peaks=2))
    np.testing.assert_array_equal(poses.keypoints[:, 0, 0], [27.5, 22.5])


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("kind", KINDS)
def test_suppression_in_the_decoder_equals_that_in_the_graph(kind: Kind, reference: bool) -> None:
    painted = scene(kind, 1, width=WIDTH, height=HEIGHT)
    in_graph = options_for(reference=reference)
    in_decoder = options_for(reference=reference, nms="decoder")
    assert_identical(
        decoder_for(in_decoder).decode(painted.unsigned_heatmaps, painted.tags),
        decoder_for(in_graph).decode(painted.heatmaps, painted.tags),
    )


def test_negative_cells_of_unsigned_maps_have_no_heat() -> None:
    """A network without ReLU undershoots; a graph's negated heat means something else."""
    maps = in_a_row(0.8, -0.3)
    assert decode(maps).origins[0, 1] == Origin.INFERRED
    assert decode(maps, options=DecoderOptions(nms="decoder")).origins[0, 1] == Origin.ABSENT


@pytest.mark.parametrize(
    ("options", "is_fitted"),
    [
        (DecoderOptions(adjust="parabola"), True),
        (DecoderOptions(adjust="quarter"), False),
        (ReferenceOptions(), False),
    ],
)
def test_the_offset_follows_the_option(options: Options, is_fitted: bool) -> None:
    person = standing(40.37, 48.33, tag=1.0)
    poses = decode(network_output([person], width=WIDTH, height=HEIGHT), options=options)
    offsets = poses.keypoints[0] - np.floor(person.keypoints[0]) - 0.5
    truth = person.keypoints[0] - np.floor(person.keypoints[0]) - 0.5
    expected = truth if is_fitted else 0.25 * np.sign(truth)
    np.testing.assert_allclose(offsets, expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("tag_axes", ["khw", "khwl"])
@pytest.mark.parametrize("batch", ["neither", "heatmaps", "tags", "both"])
def test_a_batch_axis_of_one_and_a_component_axis_of_one_change_nothing(
    batch: str, tag_axes: str
) -> None:
    heatmaps, tags = three_people()
    plain = decode((heatmaps, tags))
    if tag_axes == "khwl":
        tags = tags[..., np.newaxis]
    if batch in ("heatmaps", "both"):
        heatmaps = heatmaps[np.newaxis]
    if batch in ("tags", "both"):
        tags = tags[np.newaxis]
    assert_identical(Decoder().decode(heatmaps, tags), plain)


def test_one_keypoint_may_have_every_axis() -> None:
    """With K = 1 a batch axis and the axis of keypoints look alike."""
    heatmaps, tags = spots(Spot(x=10, y=12, tag=3.0), keypoints=1, width=40, height=30)
    decoder = Decoder(DecoderOptions(grouping_order=(0,)))
    plain = decoder.decode(heatmaps, tags)
    for shape in ((1, 1, 30, 40), (1, 30, 40, 1), (1, 1, 30, 40, 1)):
        assert_identical(decoder.decode(heatmaps, tags.reshape(shape)), plain)


def test_tags_of_two_components_are_as_far_apart_as_points() -> None:
    heatmaps, _ = in_a_row(0.8, 0.8)
    for apart, count in (((0.2, 0.2), 1), ((0.8, 0.8), 2), ((0.0, 0.2), 1), ((0.0, -1.01), 2)):
        tags = np.zeros((2, 30, 40, 2), np.float32)
        tags[1] = apart
        poses = decode((heatmaps, tags))
        assert len(poses) == count
        assert poses.tags.shape == (count, 2)
    np.testing.assert_array_equal(poses.tags, np.array([[0, 0], [0, -1.01]], np.float32))


def test_the_grouping_order_decides_which_keypoint_opens_a_pose() -> None:
    """The middle one is within the tag threshold of both others, which are not of each other."""
    tags = (0.0, 0.8, 1.6)
    found = [Spot(keypoint=k, x=10 + 3 * k, y=12, tag=tag) for k, tag in enumerate(tags)]
    maps = spots(*found, keypoints=3, width=40, height=30)
    for order, joined in (((0, 1, 2), {(0, 1), (2,)}), ((2, 1, 0), {(0,), (1, 2)})):
        decoder = ReferenceDecoder(ReferenceOptions(grouping_order=order))
        poses = decoder.decode(*maps, refine=False)
        detected = poses.origins == Origin.DETECTED
        assert {tuple(np.flatnonzero(row).tolist()) for row in detected} == joined


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("nms", ["graph", "decoder"])
def test_inputs_may_be_read_only_and_are_never_written(
    nms: Literal["graph", "decoder"], reference: bool
) -> None:
    painted = scene("noisy", 5, width=WIDTH, height=HEIGHT)
    maps = painted.heatmaps.copy(), painted.tags.copy()
    before = [array.tobytes() for array in maps]
    options = options_for(reference=reference, nms=nms)
    writeable = decode(maps, options=options)
    assert [array.tobytes() for array in maps] == before
    for array in maps:
        array.setflags(write=False)
    assert_identical(decode(maps, options=options), writeable)


def test_a_decoder_keeps_its_options() -> None:
    options = DecoderOptions(max_peaks=7)
    assert Decoder(options).options is options
    reference_options = ReferenceOptions(max_peaks=7)
    assert ReferenceDecoder(reference_options).options is reference_options
    assert Decoder().options == DecoderOptions()
    assert ReferenceDecoder().options == ReferenceOptions()


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert DecoderOptions() == DecoderOptions(
        detection_threshold=0.1,
        tag_threshold=1.0,
        delta=(0.5, 0.5),
        nms="graph",
        grouping_order=(0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16),
        max_peaks=100,
        refine_threshold=0.015,
        adjust="parabola",
    )
    shared = {field.name for field in fields(ReferenceOptions)} - {"max_peaks"}
    for name in shared:
        assert getattr(ReferenceOptions(), name) == getattr(DecoderOptions(), name)
    assert ReferenceOptions().max_peaks == 30


def test_options_are_values() -> None:
    assert DecoderOptions(delta=(0.86, 0.5)) == DecoderOptions(delta=(0.86, 0.5))
    assert DecoderOptions(delta=(0.86, 0.5)) != DecoderOptions()
    assert len({DecoderOptions(), DecoderOptions(), DecoderOptions(max_peaks=7)}) == 2
    assert DecoderOptions() != ReferenceOptions()


def test_options_and_answers_are_frozen() -> None:
    for value in (DecoderOptions(), ReferenceOptions(), decode(three_people())):
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, getattr(value, field.name))


def test_origins_are_those_of_the_wire() -> None:
    assert dict(Origin.__members__) == {"DETECTED": 1, "INFERRED": 2, "ABSENT": 3}
