"""Scenes as the trainer reads them, and what it asks of the network for them."""

from __future__ import annotations

import numpy as np
import pytest

from training.annotations import dataset, people
from training.batches import Batch, rendered, shuffled
from training.splits import Split, scene
from training.targets import HALF, QUARTER, Gaussian, cells_from_pixels, heatmaps

SIZE = 64
LEFT_WRIST, RIGHT_WRIST = 9, 10


@pytest.fixture(scope="module")
def batch() -> Batch:
    return rendered(Split.VALIDATION, range(6), size=SIZE)


@pytest.mark.parametrize("gaussian", [QUARTER, HALF])
@pytest.mark.parametrize("x", [20.0, 21.3, 30.9])
def test_heat_is_highest_at_the_keypoint(gaussian: Gaussian, x: float) -> None:
    keypoints = np.full((1, 1, 17, 2), (x, 33.0))
    labelled = np.zeros((1, 1, 17), dtype=bool)
    labelled[0, 0, LEFT_WRIST] = True
    maps = heatmaps(keypoints, labelled, size=SIZE, gaussian=gaussian)
    assert not np.delete(maps, LEFT_WRIST, axis=-1).any()
    heat = maps[0, :, :, LEFT_WRIST]
    columns = np.arange(heat.shape[1])
    centre = (heat.sum(axis=0) * columns).sum() / heat.sum()
    # Half a cell is the model's delta, which the server adds.
    assert (centre + 0.5) * gaussian.stride == pytest.approx(x, abs=0.05)


def test_of_two_people_the_warmer_one_counts() -> None:
    near = np.full((1, 2, 17, 2), 30.0)
    near[0, 1] += 6.0
    labelled = np.ones((1, 2, 17), dtype=bool)
    both = heatmaps(near, labelled, size=SIZE, gaussian=HALF)
    alone = [
        heatmaps(near[:, p : p + 1], labelled[:, :1], size=SIZE, gaussian=HALF) for p in (0, 1)
    ]
    np.testing.assert_array_equal(both, np.maximum(*alone))


def test_a_keypoint_at_the_border_keeps_its_heat_inside() -> None:
    keypoints = np.full((1, 1, 17, 2), (0.0, 63.0))
    maps = heatmaps(keypoints, np.ones((1, 1, 17), dtype=bool), size=SIZE, gaussian=HALF)
    rows, columns = np.nonzero(maps[0, :, :, 0])
    assert columns.min() == 0
    assert rows.max() == SIZE // 2 - 1
    assert columns.max() < 8
    assert rows.min() > SIZE // 2 - 9


def test_cells_add_the_half_that_the_models_delta_stands_for() -> None:
    np.testing.assert_allclose(
        cells_from_pixels(np.array([0.0, 2.0, 63.0]), stride=2) + 0.5, [0, 1, 31.5]
    )


def test_batches_hold_the_scenes_of_their_split(batch: Batch) -> None:
    still = scene(Split.VALIDATION, 3, size=SIZE)
    np.testing.assert_array_equal(batch.frames[3], still.image)
    count = len(still.people)
    assert not batch.labelled[3, count:].any()
    for p, person in enumerate(still.people):
        np.testing.assert_allclose(batch.keypoints[3, p], person.keypoints, atol=1e-4)
        np.testing.assert_array_equal(batch.labelled[3, p], person.visibility > 0)


def test_a_mirrored_scene_has_its_left_keypoints_on_the_right(batch: Batch) -> None:
    mirrored = batch.mirrored()
    np.testing.assert_array_equal(mirrored.frames[:, :, 0], batch.frames[:, :, -1])
    np.testing.assert_allclose(
        mirrored.keypoints[:, :, LEFT_WRIST, 0], SIZE - 1 - batch.keypoints[:, :, RIGHT_WRIST, 0]
    )
    np.testing.assert_array_equal(
        mirrored.labelled[:, :, LEFT_WRIST], batch.labelled[:, :, RIGHT_WRIST]
    )


def test_mirroring_twice_changes_nothing(batch: Batch) -> None:
    again = batch.mirrored().mirrored()
    np.testing.assert_array_equal(again.frames, batch.frames)
    np.testing.assert_allclose(again.keypoints, batch.keypoints, atol=1e-4)
    np.testing.assert_array_equal(again.labelled, batch.labelled)


def test_every_scene_comes_once_as_it_is_and_once_mirrored(batch: Batch) -> None:
    seen = [
        frame.tobytes()
        for each in shuffled(batch, batch_size=4, seed=(0,))
        for frame in each.frames
    ]
    wanted = [frame.tobytes() for each in (batch, batch.mirrored()) for frame in each.frames]
    assert sorted(seen) == sorted(wanted)
    assert seen != wanted


def test_annotations_are_cocos() -> None:
    still = next(
        each for each in (scene(Split.VALIDATION, i, size=SIZE) for i in range(9)) if each.people
    )
    for person, record in zip(still.people, people(still, 7), strict=True):
        keypoints = np.reshape(record["keypoints"], (17, 3))
        np.testing.assert_array_equal(keypoints[:, 2], person.visibility)
        assert not keypoints[person.visibility == 0].any()
        assert record["area"] == pytest.approx(person.box[2] * person.box[3], abs=0.01)
        assert record["image_id"] == 7


def test_splits_share_no_scene() -> None:
    first = [dataset(split, [0], size=SIZE).frames[0].tobytes() for split in Split]
    assert len(set(first)) == len(Split)
