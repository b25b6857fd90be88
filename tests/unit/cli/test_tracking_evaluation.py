"""HOTA, IDF1 and MOTA of clips small enough to do by hand."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from posewire_cli.evaluation.tracking import TrackedFrame, evaluate_tracks, oks


def frame(true_ids: list[int], found: dict[int, int | None], similarity: float = 1) -> TrackedFrame:
    """`found`: by found id the person it is, or None; similarity 0 with all others."""
    matrix = np.zeros((len(true_ids), len(found)))
    for column, person in enumerate(found.values()):
        if person is not None:
            matrix[true_ids.index(person), column] = similarity
    return TrackedFrame(true_ids, list(found), matrix)


def test_perfect_tracks_score_one() -> None:
    clip = [frame([7, 8], {3: 7, 9: 8}), frame([8], {9: 8})] * 3
    assert astuple(evaluate_tracks([clip, clip])) == (1, 1, 1, 1, 1, 0)


def test_a_person_whose_id_changes_halfway() -> None:
    clip = [frame([1], {1: 1})] * 4 + [frame([1], {2: 1})] * 4
    accuracy = evaluate_tracks([clip])
    assert accuracy.det_a == 1
    # Each match shares 4 of 8 frames with its track.
    assert accuracy.ass_a == pytest.approx(0.5)
    assert accuracy.hota == pytest.approx(np.sqrt(0.5))
    assert accuracy.idf1 == pytest.approx(2 * 4 / (8 + 8))
    assert accuracy.switches == 1
    assert accuracy.mota == pytest.approx((8 - 1) / 8)


def test_two_people_who_swap_ids() -> None:
    clip = [frame([1, 2], {1: 1, 2: 2})] * 3 + [frame([1, 2], {1: 2, 2: 1})]
    accuracy = evaluate_tracks([clip])
    # Per person and frame: 3 of 5 for the matches of three frames, 1 of 7 for that of one.
    assert accuracy.ass_a == pytest.approx((3 * 3 / 5 + 1 / 7) / 4)
    assert accuracy.idf1 == pytest.approx(6 / 8)
    assert accuracy.switches == 2
    assert accuracy.mota == pytest.approx((8 - 2) / 8)


def test_ghosts_and_misses() -> None:
    clip = [frame([1, 2], {1: 1, 5: None})] * 2
    accuracy = evaluate_tracks([clip])
    assert accuracy.det_a == pytest.approx(2 / (2 + 2 + 2))
    assert accuracy.ass_a == 1
    assert accuracy.idf1 == pytest.approx(0.5)
    assert accuracy.mota == 0


def test_similarity_counts_up_to_its_threshold() -> None:
    accuracy = evaluate_tracks([[frame([1], {1: 1}, 0.6)] * 5])
    assert accuracy.det_a == pytest.approx(12 / 19)  # 0.05 to 0.60
    assert accuracy.idf1 == 1
    assert evaluate_tracks([[frame([1], {1: 1}, 0.4)] * 5]).idf1 == 0


def test_a_match_is_kept_although_another_one_is_nearer() -> None:
    first = TrackedFrame([1], [1], np.array([[0.9]]))
    both = TrackedFrame([1], [1, 2], np.array([[0.6, 0.9]]))
    assert evaluate_tracks([[first, both]]).switches == 0
    assert evaluate_tracks([[both, first]]).switches == 1


def test_nobody_and_nothing_found() -> None:
    assert evaluate_tracks([[frame([], {})]]).mota == 0
    assert evaluate_tracks([[frame([1], {})]]).hota == 0
    assert evaluate_tracks([[frame([], {4: None}), frame([1], {4: 1})]]).mota == 0


def test_oks_is_that_of_coco() -> None:
    true = np.array([[[0.0, 0.0], [10.0, 0.0], [99.0, 99.0]]])
    labelled = np.array([[True, True, False]])
    found = np.array([[[0.0, 0.0], [10.0, 3.0], [0.0, 0.0]]])
    similarity = oks(true, labelled, np.array([100.0]), found, [0.1, 0.15, 0.1])
    assert similarity == pytest.approx(np.array([[(1 + np.exp(-9 / (2 * 100 * 0.09))) / 2]]))
    assert oks(true, np.zeros((1, 3), bool), np.array([100.0]), found, [0.1] * 3) == 0
