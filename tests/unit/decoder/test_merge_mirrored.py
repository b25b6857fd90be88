"""The outputs for an image and its mirror image are combined as the NumPy version combines them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions, merge_mirrored
from tests.reference import flip_test as oracle
from tests.reference.painting import Evidence, paint, suppress_non_maxima

Maps = dict[str, NDArray[Any]]

NAMES = ("heatmaps", "tags", "mirrored_heatmaps", "mirrored_tags")
SWAPPED = (0, 2, 1)
NOT_FINITE = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38], np.float32)


def random_maps(seed: int, *, k: int = 3, h: int = 4, w: int = 5, length: int = 1) -> Maps:
    rng = np.random.default_rng(seed)
    shapes = {"heatmaps": (k, h, w), "tags": (k, h, w, length)}
    maps = {
        prefix + name: rng.normal(0, 2, shape).astype(np.float32)
        for prefix in ("", "mirrored_")
        for name, shape in shapes.items()
    }
    for array in maps.values():
        broken = rng.random(array.shape) < rng.choice([0, 0.1])
        array[broken] = rng.choice(NOT_FINITE, broken.sum())
    return maps


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.permutations(range(4)),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 3),
)
def test_it_equals_the_version_in_numpy(
    seed: int, order: list[int], height: int, width: int, length: int
) -> None:
    maps = random_maps(seed, k=4, h=height, w=width, length=length)
    fast = merge_mirrored(**maps, mirrored_keypoints=order)
    slow = oracle.merge_mirrored(**maps, mirrored_keypoints=order)
    for one, other in zip(fast, slow, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)


def test_a_leading_axis_and_tags_without_components_are_taken_too() -> None:
    maps = random_maps(3)
    flat = {name: array.reshape(3, 4, 5) for name, array in maps.items()}
    batched = {name: array[None] for name, array in maps.items()}
    expected = merge_mirrored(**maps, mirrored_keypoints=SWAPPED)
    for other in (flat, batched):
        found = merge_mirrored(**other, mirrored_keypoints=SWAPPED)
        for one, another in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, another)


def test_of_a_symmetric_network_the_heat_is_that_of_one_run() -> None:
    # Two people, the second too weak for its own peaks to be found in noise.
    keypoints = np.array([[[5, 6], [8, 4], [2, 4]], [[25, 8], [28, 6], [22, 6]]], np.float64)
    tags = np.array([[0.0] * 3, [4.0] * 3])
    evidence = Evidence(keypoints, np.array([[0.9] * 3, [0.4] * 3]), tags)
    heat, tag = paint(np.random.default_rng(0), evidence, width=40, height=20)
    heatmaps = suppress_non_maxima(heat)
    found_heat, found_tags = merge_mirrored(
        heatmaps,
        tag,
        np.ascontiguousarray(oracle.mirror(heatmaps, SWAPPED)),
        np.ascontiguousarray(oracle.mirror(tag, SWAPPED)),
        mirrored_keypoints=SWAPPED,
    )
    np.testing.assert_array_equal(found_heat, np.abs(heatmaps))
    order = (0, 1, 2)
    once = Decoder(DecoderOptions(grouping_order=order)).decode(heatmaps, tag)
    both = Decoder(DecoderOptions(grouping_order=order, nms="decoder")).decode(
        found_heat, found_tags
    )
    assert len(once) == len(both) == 2
    for name in ("keypoints", "keypoint_scores", "origins", "scores"):
        np.testing.assert_array_equal(getattr(once, name), getattr(both, name))
    np.testing.assert_array_equal(both.tags, np.repeat(once.tags, 2, axis=1))


def refuse(error: type[Exception], message: str, maps: Maps, order: Any = SWAPPED) -> None:
    with pytest.raises(error, match=re.escape(message)):
        merge_mirrored(**maps, mirrored_keypoints=order)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_other_kinds_are_refused(name: str) -> None:
    maps = random_maps(0)
    refuse(TypeError, f"{name}: got dtype float64", {**maps, name: maps[name].astype(np.float64)})
    apart = np.repeat(maps[name], 2, axis=2)[:, :, ::2]
    refuse(ValueError, f"{name}: got strides", {**maps, name: apart})
    flat = np.zeros((3, 4), np.float32)
    refuse(ValueError, f"{name}: got shape (3, 4), want", {**maps, name: flat})


@pytest.mark.parametrize("name", NAMES[1:])
def test_maps_of_another_size_are_refused(name: str) -> None:
    maps = random_maps(0)
    other = random_maps(0, w=6)[name]
    refuse(ValueError, f"{name}: got (3, 4, 6", {**maps, name: other})


def test_tags_of_another_length_are_refused() -> None:
    maps = random_maps(0)
    maps["mirrored_tags"] = random_maps(0, length=2)["mirrored_tags"]
    refuse(
        ValueError, "mirrored_tags: got (3, 4, 5, 2), want the shape of tags, (3, 4, 5, 1)", maps
    )


@pytest.mark.parametrize("order", [(), (0, 1), (0, 1, 1), (0, 1, 3), (0, 1, -1)])
def test_keypoints_that_are_no_permutation_are_refused(order: tuple[int, ...]) -> None:
    maps = random_maps(0)
    name = "heatmaps" if order == (0, 1) else "mirrored_keypoints"
    refuse(ValueError, f"{name}: got (", maps, order)


def test_keypoints_of_another_kind_are_refused() -> None:
    refuse(TypeError, "mirrored_keypoints: got 'abc'", random_maps(0), "abc")
