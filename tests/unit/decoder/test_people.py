"""People decoded in one call are those of its steps in NumPy, bit for bit, and their bytes are
protobuf's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from posewire.v1.stream_pb2 import FrameResult
from posewire_decoder import (
    Decoder,
    FrameFromHeatmap,
    Origin,
    PeopleDecoder,
    ReferenceDecoder,
    serialize_poses,
)
from tests.reference.frame_people import Arrays, Wanted, decode_people, pose_messages, select
from tests.reference.people import KEYPOINT_COUNT
from tests.reference.scenes import KINDS, Kind, PaintedScene, scene

SIGMAS = [0.05] * KEYPOINT_COUNT
HALF = FrameFromHeatmap(2.0, 2.0, 0.5, 0.5)


def small_scene(kind: Kind, seed: int) -> PaintedScene:
    return scene(kind, seed, width=48, height=40)


def assert_equal(people: Arrays, wanted: Arrays) -> None:
    for name, got, want in zip(
        ("keypoints", "keypoint scores", "origins", "scores"), people, wanted, strict=True
    ):
        np.testing.assert_array_equal(got, want, err_msg=name, strict=True)


scores = st.one_of(st.just(0.0), st.floats(0, 1, width=32), st.sampled_from([0.1, 0.7]))


@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 50),
    scale=st.tuples(*[st.floats(0.01, 100)] * 2),
    shift=st.tuples(*[st.floats(-2000, 2000)] * 2),
    wanted=st.builds(
        Wanted,
        max_poses=st.one_of(st.none(), st.integers(1, 5)),
        min_pose_score=scores,
        min_keypoint_score=scores,
        refine=st.booleans(),
    ),
    oks_threshold=st.sampled_from([0.05, 0.5, 1.0]),
    max_candidates=st.integers(1, 8),
)
@settings(max_examples=150, deadline=None)
def test_one_call_finds_the_people_that_its_steps_find(
    kind: Kind,
    seed: int,
    scale: tuple[float, float],
    shift: tuple[float, float],
    wanted: Wanted,
    oks_threshold: float,
    max_candidates: int,
) -> None:
    maps = small_scene(kind, seed)
    duplicates: dict[str, Any] = {
        "oks_sigmas": SIGMAS,
        "oks_threshold": oks_threshold,
        "max_candidates": max_candidates,
    }
    to_frame = FrameFromHeatmap(*scale, *shift)
    oracle = decode_people(Decoder(), maps.heatmaps, maps.tags, to_frame, wanted, **duplicates)
    options: dict[str, Any] = {
        "frame_from_heatmap": to_frame,
        "max_poses": wanted.max_poses,
        "min_pose_score": wanted.min_pose_score,
        "min_keypoint_score": wanted.min_keypoint_score,
        "refine": wanted.refine,
    }
    decoder = PeopleDecoder(Decoder(), **duplicates)
    assert_equal(decoder.decode(maps.heatmaps, maps.tags, **options), oracle)
    written = decoder.decode_to_bytes(maps.heatmaps, maps.tags, **options)
    assert len(written) == len(oracle[0])
    assert written.data == serialize_poses(*oracle)
    assert list(FrameResult.FromString(written.data).poses) == pose_messages(oracle)


@st.composite
def poses(draw: st.DrawFn) -> tuple[Arrays, NDArray[np.uint32] | None]:
    """Any numbers that the arrays can hold, and ids of tracks or none."""
    people, keypoints = draw(st.integers(0, 3)), draw(st.one_of(st.integers(1, 4), st.just(133)))
    # Few different ones, because drawing 133 keypoints takes long.
    floats = st.one_of(st.sampled_from([0.0, -0.0, 1.5]), st.floats(width=32, allow_nan=False))
    origins = st.one_of(st.sampled_from([1, 2, 3]), st.integers(0, 255))

    def drawn(dtype: type, shape: tuple[int, ...], elements: st.SearchStrategy[Any]) -> Any:
        return draw(arrays(dtype, shape, elements=elements, fill=elements))

    found = (
        drawn(np.float32, (people, keypoints, 2), floats),
        drawn(np.float32, (people, keypoints), floats),
        drawn(np.uint8, (people, keypoints), origins),
        drawn(np.float32, (people,), floats),
    )
    ids = st.one_of(st.integers(0, 200), st.integers(0, 2**32 - 1))
    return found, draw(st.one_of(st.none(), arrays(np.uint32, (people,), elements=ids)))


@given(poses())
@settings(max_examples=300, deadline=None)
def test_serialized_poses_are_the_bytes_of_protobuf(
    drawn: tuple[Arrays, NDArray[np.uint32] | None],
) -> None:
    found, track_ids = drawn
    ids = None if track_ids is None else track_ids.tolist()
    message = FrameResult(poses=pose_messages(found, ids))
    assert serialize_poses(*found, track_ids=track_ids) == message.SerializeToString()


def test_a_box_leaves_out_keypoints_without_a_position() -> None:
    keypoints = np.array([[[5, 40], [0, 0], [9.5, 30], [7, 35]]], np.float32)
    keypoint_scores = np.array([[0.5, 0, 0.25, 0.75]], np.float32)
    origins = np.array(
        [[Origin.DETECTED, Origin.ABSENT, Origin.INFERRED, Origin.DETECTED]], np.uint8
    )
    written = serialize_poses(keypoints, keypoint_scores, origins, np.array([0.5], np.float32))
    box = FrameResult.FromString(written).poses[0].box
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (5, 30, 9.5, 40)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Wanted(), 3),
        (Wanted(min_pose_score=0.5), 2),
        (Wanted(min_pose_score=0.5001), 1),
        (Wanted(max_poses=2), 2),
        (Wanted(min_keypoint_score=0.15), 2),
        (Wanted(min_keypoint_score=0.15, max_poses=1), 1),
        (Wanted(min_pose_score=1), 0),
    ],
    ids=str,
)
def test_the_oracle_keeps_the_best_people_above_the_scores(wanted: Wanted, kept: int) -> None:
    people = (
        np.ones((3, 2, 2), np.float32),
        np.array([[0.9, 0.7], [0.8, 0.2], [0.1, 0.1]], np.float32),
        np.full((3, 2), Origin.DETECTED, np.uint8),
        np.array([0.8, 0.5, 0.1], np.float32),
    )
    assert select(people, wanted)[3].tolist() == people[3][:kept].tolist()


def test_a_reference_decoder_keeps_its_order_and_duplicates() -> None:
    maps = small_scene("crowded", 3)
    found = ReferenceDecoder().decode(maps.heatmaps, maps.tags)
    keypoints, _, origins, scores = PeopleDecoder(ReferenceDecoder(), oks_sigmas=SIGMAS).decode(
        maps.heatmaps, maps.tags, frame_from_heatmap=HALF
    )
    assert len(scores) > 1
    np.testing.assert_array_equal(scores, found.scores)
    is_there = origins != Origin.ABSENT
    np.testing.assert_array_equal(keypoints[is_there], 2 * found.keypoints[is_there] - 0.5)
    assert not keypoints[~is_there].any()


ARGUMENTS: dict[str, Any] = {
    "keypoints": np.zeros((2, 3, 2), np.float32),
    "keypoint_scores": np.zeros((2, 3), np.float32),
    "origins": np.ones((2, 3), np.uint8),
    "scores": np.zeros(2, np.float32),
    "track_ids": np.zeros(2, np.uint32),
}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("scores", np.zeros(2), TypeError, "scores: got dtype float64, want float32"),
        ("scores", np.zeros(3, np.float32), ValueError, r"scores: got shape \(3,\), want \(2,\)"),
        ("track_ids", np.zeros(1, np.uint32), ValueError, r"track_ids: got shape \(1,\), want"),
        ("track_ids", [1, 2], TypeError, "track_ids: got list, want a numpy.ndarray of uint32"),
        ("origins", np.ones((2, 4), np.uint8), ValueError, r"origins: got shape \(2, 4\), want"),
    ],
)
def test_wrong_arrays_are_named(
    name: str, value: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        serialize_poses(**{**ARGUMENTS, name: value})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"oks_sigmas": [0.1]}, ValueError, "oks_sigmas: got 1, want 17, one per keypoint"),
        ({"oks_threshold": 0.0}, ValueError, "oks_threshold: got 0, want a number above 0"),
        ({"max_candidates": 0}, ValueError, "max_candidates: got 0, want at least 1"),
        ({"max_candidates": 1.5}, TypeError, "max_candidates: got 1.5, want an integer"),
        ({"decoder": None}, TypeError, "decoder: got NoneType, want Decoder or"),
    ],
)
def test_wrong_options_are_named(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        PeopleDecoder(**{"decoder": Decoder(), "oks_sigmas": SIGMAS, **options})


@pytest.mark.parametrize("method", ["decode", "decode_to_bytes"])
def test_a_wrong_option_of_a_call_is_named(method: str) -> None:
    maps = small_scene("separated", 0)
    decoder = PeopleDecoder(Decoder(), oks_sigmas=SIGMAS)
    with pytest.raises(ValueError, match="max_poses: got 0, want at least 1"):
        getattr(decoder, method)(maps.heatmaps, maps.tags, frame_from_heatmap=HALF, max_poses=0)
