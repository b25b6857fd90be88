from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pycocotools.cocoeval import Params

from posewire_server.skeleton import COCO


def test_sigmas_are_those_of_coco_evaluation() -> None:
    np.testing.assert_allclose(COCO.oks_sigmas, Params(iouType="keypoints").kpt_oks_sigmas)


def test_flip_pairs_join_the_left_and_right_of_every_name() -> None:
    pairs = {(COCO.names[left], COCO.names[right]) for left, right in COCO.flip_pairs}
    lefts = [name for name in COCO.names if name.startswith("left_")]
    assert pairs == {(name, name.replace("left_", "right_")) for name in lefts}


def test_mirroring_keeps_the_edges() -> None:
    mirror = COCO.mirrored_keypoints
    edges = {frozenset(edge) for edge in COCO.edges}
    assert {frozenset(mirror[end] for end in edge) for edge in COCO.edges} == edges
    assert len(edges) == len(COCO.edges) == 19


def test_mirroring_swaps_left_and_right() -> None:
    assert COCO.mirrored_keypoints == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)


def test_the_edges_join_all_keypoints() -> None:
    reached = {0}
    for _ in COCO.names:
        reached |= {end for edge in COCO.edges if reached & set(edge) for end in edge}
    assert reached == set(range(len(COCO.names)))


def test_to_proto_keeps_order_and_numbers() -> None:
    message = COCO.to_proto()
    assert tuple(each.name for each in message.keypoints) == COCO.names
    sigmas = [each.oks_sigma for each in message.keypoints]
    np.testing.assert_allclose(sigmas, COCO.oks_sigmas, rtol=1e-6)
    edges = tuple((each.first_keypoint, each.second_keypoint) for each in message.edges)
    assert edges == COCO.edges
    flips = tuple((each.left_keypoint, each.right_keypoint) for each in message.flip_pairs)
    assert flips == COCO.flip_pairs


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"oks_sigmas": (0.1,)}, "oks_sigmas: got 1, want 17"),
        ({"edges": ((0, 17),)}, r"\(0, 17\): want keypoint numbers from 0 to 16"),
        ({"flip_pairs": ((-1, 2),)}, r"\(-1, 2\): want keypoint numbers"),
        ({"flip_pairs": ((1, 2), (2, 3))}, "flip_pairs: got .* want each keypoint at most once"),
    ],
)
def test_a_skeleton_that_does_not_fit_together_is_refused(
    wrong: dict[str, tuple[object, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(COCO, **wrong)
