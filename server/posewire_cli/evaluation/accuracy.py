"""How accurate poses are: COCO's average precision and recall."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from posewire_cli.evaluation.coco_dataset import CocoDataset, Frame, Record
from posewire_cli.evaluation.errors import EvaluationError
from posewire_cli.evaluation.journal import EvaluationJournal
from posewire_decoder import Origin
from posewire_server.estimation.frame_poses import FramePoses

AbsentAt = Literal["centre", "corner"]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What COCO's evaluation says, in [0, 1]; None where the images have nobody to say it of.

    AP is the mean over OKS thresholds from 0.50 to 0.95, `ap_medium` and `ap_large` that of people
    of 32² to 96² pixels and above, `ar` the average recall.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """`answers` are all poses in COCO's format of results."""

    accuracy: Accuracy
    answers: list[Record]


def evaluate(
    dataset: CocoDataset[Frame],
    estimate: Callable[[Frame], FramePoses],
    *,
    absent_at: AbsentAt = "centre",
    journal: EvaluationJournal | None = None,
    progress: bool = False,
) -> Evaluation:
    """Estimates the poses in all frames of the dataset and holds them against its people.

    Every pose is submitted, whatever its score; COCO counts the 20 best of an image. It also wants
    a position of every keypoint, and has nothing for the absent ones: they are put at the centre of
    the pose's others, or at the image's top-left corner as the published evaluations do. There they
    stretch the pose's box, and keep poses inside a crowd from being excused.

    Frames that the `journal` has answers for are not estimated again. `progress` shows a bar on
    stderr if that is a terminal. Raises `EvaluationError` if there is no frame.
    """
    if not dataset.frames:
        raise EvaluationError("the dataset has no images, want at least 1")
    answers = {} if journal is None else journal.answers
    pending = [image for image in dataset.frames if image not in answers]
    for image in _shown(pending, total=len(dataset.frames), progress=progress):
        found = _answers(image, estimate(dataset.frames[image]), dataset, absent_at)
        if journal is None:
            answers[image] = found
        else:
            journal.add(image, found)
    submitted = [each for image in dataset.frames for each in answers[image]]
    return Evaluation(accuracy_of(dataset, submitted), submitted)


def accuracy_of(dataset: CocoDataset[Frame], answers: list[Record]) -> Accuracy:
    """COCO's figures for answers in its format of results; those to other images do not count."""
    evaluation = judged(dataset, answers)
    with _silence():
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75, ap_medium, ap_large, ar = (
        None if value < 0 else float(value) for value in evaluation.stats[:6]
    )
    return Accuracy(ap, ap50, ap75, ap_medium, ap_large, ar)


def judged(dataset: CocoDataset[Frame], answers: list[Record]) -> COCOeval:
    """COCO's judge after it has matched the answers to people."""
    with _silence():
        truth = _indexed(dataset, [_annotated(each) for each in _people(dataset)])
        found = _indexed(dataset, [_boxed(each) for each in answers])
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.params.imgIds = list(dataset.frames)
        evaluation.evaluate()
    return evaluation


def _silence() -> contextlib.redirect_stdout[io.StringIO]:
    """pycocotools prints what it does."""
    return contextlib.redirect_stdout(io.StringIO())


def _shown(images: Sequence[int], *, total: int, progress: bool) -> Iterable[int]:
    done = total - len(images)
    # None shows the bar on terminals only.
    hidden = None if progress else True
    return tqdm(images, total=total, initial=done, unit="image", disable=hidden)


def _answers(
    image: int, poses: FramePoses, dataset: CocoDataset[Frame], absent_at: AbsentAt
) -> list[Record]:
    if not np.isfinite(poses.keypoints).all() or not np.isfinite(poses.scores).all():
        raise EvaluationError(f"image {image}: got poses that are not finite")
    places = _placed(poses, absent_at)
    return [
        {
            "image_id": image,
            "category_id": dataset.person_category,
            "keypoints": np.column_stack([keypoints, scores]).round(3).ravel().tolist(),
            "score": float(score),
        }
        for keypoints, scores, score in zip(
            places, poses.keypoint_scores, poses.scores, strict=True
        )
    ]


def _placed(poses: FramePoses, absent_at: AbsentAt) -> NDArray[np.float64]:
    """The keypoints (N, K, 2), those that are absent as well."""
    absent = (poses.origins == Origin.ABSENT)[..., None]
    places = np.where(absent, 0.0, poses.keypoints)
    if absent_at == "corner":
        return places
    count = np.maximum((~absent).sum(axis=1, keepdims=True), 1)
    return np.where(absent, places.sum(axis=1, keepdims=True) / count, places)


def _people(dataset: CocoDataset[Frame]) -> Iterable[Record]:
    for each in dataset.people:
        if each["image_id"] in dataset.frames:
            yield {**each, "category_id": dataset.person_category}


def _annotated(person: Record) -> Record:
    visible = int(np.count_nonzero(person["keypoints"][2::3]))
    return {"num_keypoints": visible, "iscrowd": 0, **person}


def _boxed(answer: Record) -> Record:
    """With what COCOeval reads of answers besides; made as pycocotools makes it of a file."""
    x, y = answer["keypoints"][0::3], answer["keypoints"][1::3]
    left, top, width, height = min(x), min(y), max(x) - min(x), max(y) - min(y)
    return {**answer, "bbox": [left, top, width, height], "area": width * height}


def _indexed(dataset: CocoDataset[Frame], records: list[dict[str, Any]]) -> COCO:
    """Numbers begin at 1, because COCOeval reads 0 as "not matched"."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in dataset.frames],
        "categories": [{"id": dataset.person_category, "name": "person"}],
        "annotations": [{**record, "id": i} for i, record in enumerate(records, start=1)],
    }
    coco.createIndex()
    return coco
