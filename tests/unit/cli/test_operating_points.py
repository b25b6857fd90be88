from __future__ import annotations

from typing import Any

import pytest

from posewire_cli.evaluation.coco_dataset import CocoDataset, Record
from posewire_cli.evaluation.operating_points import OperatingPoint, operating_points
from tests.reference.colour_network import person_at
from tests.unit.cli.test_evaluation import annotation

HERE, THERE, NOWHERE = (person_at(x, 100, 40) for x in (100, 400, 700))


def answer(image: int, keypoints: Any, score: float) -> Record:
    values = [value for x, y in keypoints.tolist() for value in (x, y, score)]
    return {"image_id": image, "category_id": 1, "keypoints": values, "score": score}


ANSWERS = [
    answer(1, HERE, 0.9),
    answer(1, THERE, 0.32),
    answer(1, HERE + [3, 0], 0.22),  # somebody who is found already
    answer(1, NOWHERE, 0.45),
    answer(2, NOWHERE, 0.12),
]


def at(points: list[OperatingPoint]) -> dict[float, tuple[float | None, float | None]]:
    return {each.min_pose_score: (each.precision, each.recall) for each in points}


def test_precision_falls_and_recall_rises_with_lower_thresholds() -> None:
    people = [annotation(1, HERE), annotation(1, THERE)]
    data = CocoDataset({1: 1, 2: 2, 3: 3}, people)
    points = at(operating_points(data, ANSWERS, default=0.325))
    assert list(points) == sorted(points)
    assert points[0.5] == (1, 0.5)
    assert points[0.45] == points[0.35] == points[0.325] == (0.5, 0.5)
    assert points[0.3] == (pytest.approx(2 / 3), 1)
    assert points[0.2] == (0.5, 1)
    assert points[0.1] == (0.4, 1)


def test_crowds_excuse_poses_and_need_not_be_found() -> None:
    crowd = annotation(1, THERE, iscrowd=1)
    crowd["keypoints"] = [0] * 51
    data = CocoDataset({1: 1}, [annotation(1, HERE), crowd])
    points = at(operating_points(data, [*ANSWERS[:2]], default=0.3))
    assert points[0.1] == (1, 1)


def test_nobody_and_no_pose_are_no_figure() -> None:
    nobody = operating_points(CocoDataset({1: 1}, []), [], default=0.3)
    assert {(each.precision, each.recall) for each in nobody} == {(None, None)}
    ghosts = operating_points(CocoDataset({1: 1}, []), ANSWERS[3:4], default=0.3)
    assert at(ghosts)[0.3] == (0, None)
