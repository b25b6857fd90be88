from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from posewire_cli.evaluation.accuracy import evaluate
from posewire_cli.evaluation.coco_dataset import CocoDataset, read_dataset
from posewire_cli.evaluation.errors import DatasetError, EvaluationError, JournalError
from posewire_cli.evaluation.journal import EvaluationJournal
from posewire_decoder import Origin
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.skeleton import COCO as SKELETON
from tests.reference.colour_network import person_at

# The frames of these datasets are the answers themselves.
Answer = Sequence[NDArray[np.float64]]
MEDIUM, LARGE = 15.0, 40.0


def annotation(
    image: int, keypoints: NDArray[np.float64], *, spacing: float = LARGE, **more: Any
) -> dict[str, Any]:
    left, top = keypoints.min(axis=0).tolist()
    width, height = 4 * spacing, 3 * spacing
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.column_stack([keypoints, np.full(17, 2)]).ravel().tolist(),
        "bbox": [left, top, width, height],
        "area": width * height,
        **more,
    }


def poses_of(answer: Answer) -> FramePoses:
    """Detected throughout, the first one the most certain."""
    count = len(answer)
    return FramePoses(
        np.array(answer, np.float32).reshape(count, 17, 2),
        np.full((count, 17), 0.5, np.float32),
        np.full((count, 17), Origin.DETECTED, np.uint8),
        np.linspace(0.9, 0.5, count, dtype=np.float32),
    )


def dataset(answers: dict[int, Answer], people: Sequence[dict[str, Any]]) -> CocoDataset[Answer]:
    return CocoDataset(answers, people)


def shifted(keypoints: NDArray[np.float64], pixels: float) -> NDArray[np.float64]:
    return keypoints + [pixels, 0]


HERE, THERE = person_at(100, 100, LARGE), person_at(400, 100, LARGE)
SMALLER = person_at(50, 300, MEDIUM)


def test_true_poses_score_one() -> None:
    people = [
        annotation(1, HERE),
        annotation(1, SMALLER, spacing=MEDIUM),
        annotation(2, THERE),
    ]
    accuracy = evaluate(dataset({1: [HERE, SMALLER], 2: [THERE], 3: []}, people), poses_of).accuracy
    assert astuple(accuracy) == pytest.approx((1, 1, 1, 1, 1, 1))


def test_accuracy_falls_with_the_distance() -> None:
    def ap(pixels: float) -> float | None:
        data = dataset({1: [shifted(HERE, pixels)]}, [annotation(1, HERE)])
        return evaluate(data, poses_of).accuracy.ap

    values = [ap(pixels) or 0 for pixels in (0, 8, 16, 24, 100)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1)
    assert 0.2 < values[1] < 0.95
    assert values[-1] == 0


def test_nobody_of_a_size_is_no_figure() -> None:
    accuracy = evaluate(dataset({1: [HERE]}, [annotation(1, HERE)]), poses_of).accuracy
    assert accuracy.ap_medium is None
    assert accuracy.ap_large == pytest.approx(1)
    nobody = evaluate(dataset({1: [HERE]}, []), poses_of).accuracy
    assert nobody.ap is None
    assert nobody.ar is None


def test_people_who_are_not_found_cost_recall() -> None:
    people = [annotation(1, HERE), annotation(2, THERE)]
    accuracy = evaluate(dataset({1: [HERE], 2: []}, people), poses_of).accuracy
    assert accuracy.ar == pytest.approx(0.5)
    assert accuracy.ap == pytest.approx(0.5, abs=0.02)


def test_poses_in_images_without_people_cost_precision() -> None:
    people = [annotation(2, THERE)]
    without = evaluate(dataset({1: [], 2: [HERE, THERE]}, people), poses_of).accuracy
    assert without.ap is not None
    with_ghost = evaluate(dataset({1: [HERE], 2: [HERE, THERE]}, people), poses_of).accuracy
    assert with_ghost.ap is not None
    assert with_ghost.ap < without.ap < 1


def test_only_the_images_of_the_dataset_count() -> None:
    people = [annotation(1, HERE), annotation(99, THERE)]
    assert evaluate(dataset({1: [HERE]}, people), poses_of).accuracy.ar == pytest.approx(1)


@pytest.mark.parametrize("excuse", [{"iscrowd": 1}, {"num_keypoints": 0}], ids=str)
def test_poses_in_crowds_and_where_nothing_is_annotated_are_excused(excuse: dict[str, int]) -> None:
    hidden = annotation(1, THERE)
    hidden["keypoints"][2::3] = [0] * 17
    data = dataset({1: [THERE, HERE]}, [annotation(1, HERE), {**hidden, **excuse}])
    assert evaluate(data, poses_of).accuracy.ap == pytest.approx(1)


def absent_half(answer: Answer) -> FramePoses:
    poses = poses_of(answer)
    poses.origins[:, ::2] = Origin.ABSENT
    poses.keypoints[:, ::2] = 0
    return poses


def test_absent_keypoints_are_submitted_amid_the_others() -> None:
    data = dataset({1: [THERE]}, [])
    (answer,) = evaluate(data, absent_half).results
    places = np.array(answer["keypoints"]).reshape(17, 3)[:, :2]
    np.testing.assert_allclose(places[1::2], THERE[1::2], atol=1e-3)
    np.testing.assert_allclose(places[::2], np.tile(THERE[1::2].mean(axis=0), (9, 1)), atol=1e-3)
    (answer,) = evaluate(data, absent_half, absent_at="corner").results
    assert np.array(answer["keypoints"]).reshape(17, 3)[::2, :2].any() == np.False_


def test_a_pose_in_a_crowd_is_excused_in_spite_of_absent_keypoints() -> None:
    crowd = annotation(1, THERE, iscrowd=1)
    crowd["keypoints"] = [0] * 51
    data = dataset({1: [THERE], 2: [HERE]}, [crowd, annotation(2, HERE)])

    def estimate(answer: Answer) -> FramePoses:
        return absent_half(answer) if answer[0] is THERE else poses_of(answer)

    assert evaluate(data, estimate).accuracy.ap == pytest.approx(1)
    at_corner = evaluate(data, estimate, absent_at="corner").accuracy
    assert at_corner.ap is not None
    assert at_corner.ap < 0.9


def test_answers_are_cocos_results_and_judged_alike_by_pycocotools() -> None:
    rng = np.random.default_rng(3)
    answers = {
        image: [HERE + rng.normal(0, 6, HERE.shape), SMALLER + rng.normal(0, 2, HERE.shape)]
        for image in range(1, 9)
    }
    people = [
        each
        for image in answers
        for each in (annotation(image, HERE), annotation(image, SMALLER, spacing=MEDIUM))
    ]
    evaluation = evaluate(dataset(answers, people), poses_of)
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image} for image in answers],
        "categories": [{"id": 1}],
        "annotations": [
            {**each, "id": i, "num_keypoints": 17, "iscrowd": 0}
            for i, each in enumerate(people, start=1)
        ],
    }
    truth.createIndex()
    found = truth.loadRes(json.loads(json.dumps(evaluation.results)))
    judge = COCOeval(truth, found, "keypoints")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    accuracy = evaluation.accuracy
    ours = [accuracy.ap, accuracy.ap50, accuracy.ap75]
    ours += [accuracy.ap_medium, accuracy.ap_large, accuracy.ar]
    assert ours == pytest.approx(judge.stats[:6].tolist())
    assert 0.1 < judge.stats[0] < 0.99


def test_poses_that_are_not_finite_are_refused() -> None:
    with pytest.raises(EvaluationError, match="image 4: got poses that are not finite"):
        evaluate(dataset({4: [HERE * np.nan]}, []), poses_of)


def test_a_dataset_without_images_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no images, want at least 1"):
        evaluate(dataset({}, []), poses_of)


class Interrupted:
    """Estimates the given poses until a certain number of frames is done."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.seen: list[Answer] = []

    def __call__(self, answer: Answer) -> FramePoses:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.seen.append(answer)
        return poses_of(answer)


ANSWERS: dict[int, Answer] = {1: [HERE], 2: [shifted(THERE, 9)], 5: [], 4: [HERE, THERE]}
PEOPLE = [annotation(1, HERE), annotation(2, THERE), annotation(4, THERE)]
RUN = {"model": "abc", "size": 512}


def test_an_interrupted_evaluation_goes_on(tmp_path: Path) -> None:
    data = dataset(ANSWERS, PEOPLE)
    path = tmp_path / "journal"
    with pytest.raises(KeyboardInterrupt), EvaluationJournal(path, RUN) as journal:
        evaluate(data, Interrupted(2), journal=journal)
    rest = Interrupted(2)
    with EvaluationJournal(path, RUN) as journal:
        resumed = evaluate(data, rest, journal=journal)
    assert rest.seen == [ANSWERS[5], ANSWERS[4]]
    whole = evaluate(data, poses_of)
    assert resumed.results == whole.results
    assert resumed.accuracy == whole.accuracy


def test_a_line_that_was_being_written_is_written_again(tmp_path: Path) -> None:
    data = dataset(ANSWERS, PEOPLE)
    path = tmp_path / "journal"
    with EvaluationJournal(path, RUN) as journal:
        whole = evaluate(data, poses_of, journal=journal)
    content = path.read_bytes()
    for length in (0, 5, len(content) - 1, len(content) - 40):
        path.write_bytes(content[:length])
        with EvaluationJournal(path, RUN) as journal:
            assert evaluate(data, poses_of, journal=journal).results == whole.results
        assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"mine", b"mine\n", b"{}"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json.journal"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="is not the journal of an evaluation"):
        EvaluationJournal(path, RUN)
    assert path.read_bytes() == content


def test_a_journal_of_another_run_is_refused_with_the_differences(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with EvaluationJournal(path, {**RUN, "fit": "inside"}):
        pass
    with pytest.raises(JournalError) as raised:
        EvaluationJournal(path, {**RUN, "size": 256, "fit": "inside"})
    assert f"{path} belongs to another run: size was 512, is 256; " in str(raised.value)


@pytest.mark.parametrize("line", ["{", "[]", '{"image_id": 3}', "7"])
def test_a_damaged_journal_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal"
    with EvaluationJournal(path, RUN) as journal:
        journal.add(1, [])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(JournalError, match=f"{path}: line 3 is damaged"):
        EvaluationJournal(path, RUN)


def coco_file(folder: Path, **more: Any) -> Path:
    """Of three images, one person each; the files are there."""
    images = [{"id": i, "file_name": f"{i}.jpg"} for i in (7, 3, 5)]
    for each in images:
        (folder / str(each["file_name"])).touch()
    content = {
        "images": images,
        "categories": [{"id": 1, "name": "person", "keypoints": SKELETON.names}],
        "annotations": [{**annotation(i, HERE), "id": i} for i in (3, 5, 7)],
        **more,
    }
    path = folder / "people.json"
    path.write_text(json.dumps(content))
    return path


def test_a_dataset_is_read_in_the_order_of_its_file(tmp_path: Path) -> None:
    data = read_dataset(coco_file(tmp_path), tmp_path)
    assert data.frames == {7: tmp_path / "7.jpg", 3: tmp_path / "3.jpg", 5: tmp_path / "5.jpg"}
    assert list(read_dataset(coco_file(tmp_path), tmp_path, limit=2).frames) == [7, 3]


def test_other_things_than_people_are_left_out(tmp_path: Path) -> None:
    dog = {"id": 9, "image_id": 3, "category_id": 18, "bbox": [0, 0, 1, 1]}
    categories = [{"id": 18, "name": "dog"}, {"id": 2, "name": "person"}]
    person = {**annotation(3, HERE), "category_id": 2}
    path = coco_file(tmp_path, categories=categories, annotations=[dog, person])
    data = read_dataset(path, tmp_path)
    assert data.person_category == 2
    assert [each["category_id"] for each in data.people] == [2]


def test_images_that_are_not_there_are_listed(tmp_path: Path) -> None:
    path = coco_file(tmp_path)
    (tmp_path / "3.jpg").unlink()
    (tmp_path / "5.jpg").unlink()
    with pytest.raises(DatasetError, match=r"2 of 3 images are missing: 3.jpg, 5.jpg$"):
        read_dataset(path, tmp_path)
    assert list(read_dataset(path, tmp_path, limit=1).frames) == [7]
    names = [{"id": i, "file_name": f"gone{i}.jpg"} for i in range(40)]
    with pytest.raises(DatasetError, match=r"40 of 40 .*gone9.jpg and 30 more$"):
        read_dataset(coco_file(tmp_path, images=names), tmp_path)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in annotation(3, HERE).items() if name != key}


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"images": None}, "got no list 'images', want COCO annotations"),
        ({"images": [{"id": 3}]}, r"images\[0\] is .*want an object with id and file_name"),
        ({"annotations": [3]}, r"annotations\[0\] is 3"),
        ({"categories": [{"id": 1, "name": "dog"}]}, "no category named person"),
        (
            {"categories": [{"id": 1, "name": "person", "keypoints": ["a", "b"]}]},
            "people have 2 keypoints .*want COCO's 17",
        ),
        ({"annotations": [without("keypoints")]}, "has no keypoints, want a file of COCO's"),
        ({"annotations": [without("area")]}, "has no area"),
        ({"annotations": [{**annotation(3, HERE), "keypoints": [1, 2, 2]}]}, "has 3 keypoint val"),
    ],
    ids=lambda each: "" if isinstance(each, str) else next(iter(each)),
)
def test_files_that_do_not_annotate_keypoints_are_refused(
    tmp_path: Path, more: dict[str, Any], complaint: str
) -> None:
    path = coco_file(tmp_path, **more)
    with pytest.raises(DatasetError, match=f"^{path}: .*{complaint}"):
        read_dataset(path, tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"[1]", b"\xff\xfe\x00"], ids=str)
def test_files_that_are_no_annotations_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"^{path}: .* want COCO annotations"):
        read_dataset(path, tmp_path)
