"""COCO average precision and recall of poses."""

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
    """COCO's keypoint metrics, in [0, 1]; None if there are no such people.

    AP is the mean over OKS thresholds from 0.50 to 0.95; `ap_medium` and `ap_large` concern people
    of 32² to 96² pixels and larger ones. `ar` is the average recall.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """`results`: all poses, in COCO results format."""

    accuracy: Accuracy
    results: list[Record]


def evaluate(
    dataset: CocoDataset[Frame],
    estimate: Callable[[Frame], FramePoses],
    *,
    absent_at: AbsentAt = "centre",
    journal: EvaluationJournal | None = None,
    progress: bool = False,
) -> Evaluation:
    """Estimate the poses in all frames of the dataset and compare them with its people.

    Every pose is submitted, whatever its score; COCO counts the 20 best of an image. COCO needs a
    position for absent keypoints too. They are placed at the centre of the pose's other keypoints,
    or at the image's top-left corner as in published evaluations. The corner enlarges the pose's
    box, so that poses inside a crowd are not excused.

    Frames in the `journal` are not estimated again. `progress` shows a bar on stderr if that is a
    terminal. Raises `EvaluationError` if there is no frame.
    """
    if not dataset.frames:
        raise EvaluationError("the dataset has no images, want at least 1")
    results = {} if journal is None else journal.results
    pending = [image for image in dataset.frames if image not in results]
    for image in _track(pending, total=len(dataset.frames), progress=progress):
        found = _to_records(image, estimate(dataset.frames[image]), dataset, absent_at)
        if journal is None:
            results[image] = found
        else:
            journal.add(image, found)
    submitted = [each for image in dataset.frames for each in results[image]]
    return Evaluation(measure_accuracy(dataset, submitted), submitted)


def measure_accuracy(dataset: CocoDataset[Frame], results: list[Record]) -> Accuracy:
    """Measure COCO results; those of images outside the dataset are ignored."""
    evaluation = match_poses(dataset, results)
    with _silence():
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75, ap_medium, ap_large, ar = (
        None if value < 0 else float(value) for value in evaluation.stats[:6]
    )
    return Accuracy(ap, ap50, ap75, ap_medium, ap_large, ar)


def match_poses(dataset: CocoDataset[Frame], results: list[Record]) -> COCOeval:
    """Match COCO results to people."""
    with _silence():
        truth = _index(dataset, [_complete_person(each) for each in _people(dataset)])
        found = _index(dataset, [_complete_result(each) for each in results])
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.params.imgIds = list(dataset.frames)
        evaluation.evaluate()
    return evaluation


def _silence() -> contextlib.redirect_stdout[io.StringIO]:
    """Discard what pycocotools prints."""
    return contextlib.redirect_stdout(io.StringIO())


def _track(images: Sequence[int], *, total: int, progress: bool) -> Iterable[int]:
    done = total - len(images)
    disable = None if progress else True  # None: unless on a terminal
    return tqdm(images, total=total, initial=done, unit="image", disable=disable)


def _to_records(
    image: int, poses: FramePoses, dataset: CocoDataset[Frame], absent_at: AbsentAt
) -> list[Record]:
    if not np.isfinite(poses.keypoints).all() or not np.isfinite(poses.scores).all():
        raise EvaluationError(f"image {image}: got poses that are not finite")
    places = _place_keypoints(poses, absent_at)
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


def _place_keypoints(poses: FramePoses, absent_at: AbsentAt) -> NDArray[np.float64]:
    """Return all keypoints (N, K, 2), with positions for the absent ones."""
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


def _complete_person(person: Record) -> Record:
    visible = int(np.count_nonzero(person["keypoints"][2::3]))
    return {"num_keypoints": visible, "iscrowd": 0, **person}


def _complete_result(result: Record) -> Record:
    """Add the box and area that COCOeval reads, as pycocotools does when it loads a file."""
    x, y = result["keypoints"][0::3], result["keypoints"][1::3]
    left, top, width, height = min(x), min(y), max(x) - min(x), max(y) - min(y)
    return {**result, "bbox": [left, top, width, height], "area": width * height}


def _index(dataset: CocoDataset[Frame], records: list[dict[str, Any]]) -> COCO:
    """Number records from 1, because COCOeval reads 0 as "not matched"."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in dataset.frames],
        "categories": [{"id": dataset.person_category, "name": "person"}],
        "annotations": [{**record, "id": i} for i, record in enumerate(records, start=1)],
    }
    coco.createIndex()
    return coco
