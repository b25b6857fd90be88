"""How well decoded poses fit painted scenes: COCO's average precision and grouping accuracy."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from posewire_server.skeleton import COCO as COCO_SKELETON
from tests.reference.scenes import PaintedScene

OKS_SIGMAS = np.array(COCO_SKELETON.oks_sigmas)
# COCO counts the 20 best poses of an image; crowded scenes hold up to 30 people, and a third more
# leaves room for ghosts to cost precision instead of pushing people out.
MOST_POSES = 40
# The networks' heatmaps have half the side of their input. OKS does not depend on the unit, since
# areas scale along; the numbers only become the ones a COCO results file would hold.
INPUT_PIXELS_PER_CELL = 2.0


@dataclass(frozen=True, slots=True)
class ScoredPoses:
    """A decoder's answer for one scene: `keypoints` (P, K, 2 or more) begin with x, y in heatmap
    cells with delta 0.5, finite for every keypoint; `scores` (P,) rank the poses.
    """

    keypoints: NDArray[np.floating[Any]]
    scores: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision over OKS 0.50 to 0.95, at 0.50 and 0.75, and average recall, in [0, 1]."""

    ap: float
    ap50: float
    ap75: float
    ar: float


def average_precision(scenes: Sequence[PaintedScene], poses: Sequence[ScoredPoses]) -> Precision:
    """COCO keypoint evaluation with the 40 best poses per scene and box areas.

    `poses[i]` answers `scenes[i]`. Raises ValueError for answers of another number, keypoints that
    are not finite and scenes without anybody to find.

    As in COCO every pose counts and its keypoints all do, whatever their score. Box areas are about
    twice the mask areas of COCO's people, so the numbers are kinder than COCO's.
    """
    if len(scenes) != len(poses):
        raise ValueError(f"{len(poses)} answers for {len(scenes)} scenes")
    if not any(scene.visible.any() for scene in scenes):
        raise ValueError("average precision needs a person with a visible keypoint")
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_truth(scenes), _answers(poses), "keypoints")
        evaluation.params.kpt_oks_sigmas = OKS_SIGMAS
        evaluation.params.maxDets = [MOST_POSES]
        evaluation.params.areaRng = evaluation.params.areaRng[:1]
        evaluation.params.areaRngLbl = evaluation.params.areaRngLbl[:1]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"].reshape(len(evaluation.params.iouThrs), -1)
    return Precision(
        ap=float(precision.mean()),
        ap50=float(precision[0].mean()),
        ap75=float(precision[5].mean()),
        ar=float(evaluation.eval["recall"].mean()),
    )


def grouping_accuracy(scenes: Sequence[PaintedScene], poses: Sequence[ScoredPoses]) -> float:
    """The share of visible keypoints that land in the pose matched to their person.

    A keypoint lands in a pose if its term of OKS reaches 0.5. Each person is matched to one pose
    and each pose to one person, those that share most keypoints first.
    """
    landed = sum(len(_landing_errors(*pair)) for pair in zip(scenes, poses, strict=True))
    return landed / sum(int(scene.visible.sum()) for scene in scenes)


def localisation_error(scenes: Sequence[PaintedScene], poses: Sequence[ScoredPoses]) -> float:
    """Mean distance in cells of the keypoints that `grouping_accuracy` counts as landed.

    It shows differences between decoders where average precision is 1: a quarter of a cell hardly
    changes OKS.
    """
    errors = [_landing_errors(*pair) for pair in zip(scenes, poses, strict=True)]
    return float(np.concatenate(errors).mean())


def _landing_errors(scene: PaintedScene, answer: ScoredPoses) -> NDArray[np.float64]:
    """Distances in cells, one per keypoint that landed in the pose matched to its person."""
    offsets = scene.keypoints[:, None] - answer.keypoints[None, :, :, :2]
    squares = (offsets**2).sum(axis=3)
    terms = np.exp(-squares / (2 * scene.areas[:, None] * (2 * OKS_SIGMAS) ** 2)[:, None])
    landed = (terms >= 0.5) & scene.visible[:, None]
    errors = [np.sqrt(squares[pair][landed[pair]]) for pair in _matched(landed.sum(axis=2))]
    return np.concatenate([np.zeros(0), *errors])


def _matched(shared: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Pairs (person, pose), taken greedily by how many keypoints (N, P) they share."""
    pairs = []
    for _ in range(min(shared.shape)):
        person, pose = divmod(int(shared.argmax()), shared.shape[1])
        pairs.append((person, pose))
        shared[person, :] = -1
        shared[:, pose] = -1
    return pairs


def _truth(scenes: Sequence[PaintedScene]) -> COCO:
    people = [
        _annotation(image, keypoints, visible, area)
        for image, scene in enumerate(scenes)
        for keypoints, visible, area in zip(
            scene.keypoints, scene.visible, scene.areas, strict=True
        )
    ]
    return _dataset(people, len(scenes))


def _answers(poses: Sequence[ScoredPoses]) -> COCO:
    found = [
        _detection(image, keypoints, float(score))
        for image, answer in enumerate(poses)
        for keypoints, score in zip(answer.keypoints, answer.scores, strict=True)
    ]
    return _dataset(found, len(poses))


def _annotation(
    image: int, keypoints: NDArray[np.float64], visible: NDArray[np.bool_], area: float
) -> dict[str, Any]:
    return {
        **_record(image, np.column_stack([keypoints, 2 * visible])),
        "area": float(area) * INPUT_PIXELS_PER_CELL**2,
        "num_keypoints": int(visible.sum()),
        "iscrowd": 0,
    }


def _detection(image: int, keypoints: NDArray[np.floating[Any]], score: float) -> dict[str, Any]:
    if not np.isfinite(keypoints[:, :2]).all():
        raise ValueError(f"a pose of scene {image} has a keypoint that is not finite")
    record = _record(image, np.column_stack([keypoints[:, :2], np.ones(len(keypoints))]))
    return {**record, "area": record["bbox"][2] * record["bbox"][3], "score": score}


def _record(image: int, keypoints: NDArray[np.float64]) -> dict[str, Any]:
    """What people and detections have in common, `keypoints` (K, 3) as x, y, visibility."""
    scaled = keypoints * [INPUT_PIXELS_PER_CELL, INPUT_PIXELS_PER_CELL, 1.0]
    low, high = scaled[:, :2].min(axis=0), scaled[:, :2].max(axis=0)
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": scaled.ravel().tolist(),
        "bbox": [*low.tolist(), *(high - low).tolist()],
    }


def _dataset(records: list[dict[str, Any]], image_count: int) -> COCO:
    """An in-memory COCO index; ids start at 1 because COCOeval reads 0 as "not matched"."""
    dataset = COCO()
    dataset.dataset = {
        "images": [{"id": image} for image in range(image_count)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{**record, "id": i} for i, record in enumerate(records, start=1)],
    }
    dataset.createIndex()
    return dataset
