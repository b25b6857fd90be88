"""The still and the clip that come with posewire fit what is said to be in them."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_cli.evaluation.coco_dataset import read_dataset
from posewire_server.sample import CLIP, STILL
from tests.reference.sample_annotations import CLIP_ANNOTATIONS, STILL_ANNOTATIONS

CLIP_SECS = 5
# A running foot swings faster than its body: 45 pixels a frame where people are 230 tall.
LONGEST_STEP = 60


@pytest.fixture(scope="module")
def frames() -> list[NDArray[np.uint8]]:
    clip = cv2.VideoCapture(str(CLIP))
    try:
        return [frame for _, frame in iter(clip.read, (False, None))]
    finally:
        clip.release()


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    return annotations(CLIP_ANNOTATIONS)["annotations"]


def annotations(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_the_clip_lasts_five_seconds_and_is_small(frames: list[NDArray[np.uint8]]) -> None:
    rate = cv2.VideoCapture(str(CLIP)).get(cv2.CAP_PROP_FPS)
    assert len(frames) == CLIP_SECS * rate
    assert CLIP.stat().st_size < 1e6


def test_the_clip_has_annotations_for_each_of_its_frames(frames: list[NDArray[np.uint8]]) -> None:
    images = annotations(CLIP_ANNOTATIONS)["images"]
    assert [image["id"] for image in images] == list(range(len(frames)))
    assert {(image["height"], image["width"]) for image in images} == {frames[0].shape[:2]}


def test_people_of_the_clip_pass_in_front_of_each_other(people: list[dict[str, Any]]) -> None:
    order = defaultdict(list)
    for one, other in itertools.permutations(people, 2):
        if one["image_id"] == other["image_id"]:
            pair = one["track_id"], other["track_id"]
            order[pair].append(one["bbox"][0] < other["bbox"][0])
    crossing = {frozenset(pair) for pair, is_left in order.items() if any(is_left) != all(is_left)}
    assert len(crossing) >= 3


def test_people_of_the_clip_move_without_jumps(people: list[dict[str, Any]]) -> None:
    tracks = defaultdict(dict)
    for person in people:
        tracks[person["track_id"]][person["image_id"]] = np.reshape(person["keypoints"], (-1, 3))
    for track in tracks.values():
        for frame, before in track.items():
            if frame + 1 in track:
                after = track[frame + 1]
                seen = (before[:, 2] > 0) & (after[:, 2] > 0)
                steps = np.linalg.norm(after[seen, :2] - before[seen, :2], axis=1)
                assert steps.max(initial=0) < LONGEST_STEP


def test_visible_keypoints_lie_in_the_picture(people: list[dict[str, Any]]) -> None:
    width, height = 640, 360
    for person in people:
        keypoints = np.reshape(person["keypoints"], (-1, 3))
        x, y = keypoints[keypoints[:, 2] == 2, :2].T
        assert ((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)).all()


def test_the_still_is_a_dataset_of_several_people() -> None:
    dataset = read_dataset(STILL_ANNOTATIONS, STILL.parent)
    assert list(dataset.frames.values()) == [STILL]
    assert len(dataset.people) >= 4
    assert cv2.imread(str(STILL)).shape == (384, 512, 3)
