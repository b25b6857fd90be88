"""Precision and recall at thresholds on the pose score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posewire_cli.evaluation.accuracy import match_poses
from posewire_cli.evaluation.coco_dataset import CocoDataset, Frame, Record

_THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Precision and recall, at OKS 0.5, of the poses of at least `min_pose_score`.

    `precision` is None if there are no poses, `recall` if there are no people.
    """

    min_pose_score: float
    precision: float | None
    recall: float | None


def operating_points(
    dataset: CocoDataset[Frame], results: list[Record], *, default: float
) -> list[OperatingPoint]:
    """Measure at thresholds from 0.1 to 0.5, and at the model's default.

    COCO matches poses to people in order of their scores, so a threshold does not change the
    matches of the poses above it.
    """
    # COCO's first area range holds all people, and its first OKS threshold is 0.5.
    matches = match_poses(dataset, results).evalImgs[: len(dataset.frames)]
    images = [image for image in matches if image is not None]
    people = sum(int(np.count_nonzero(image["gtIgnore"] == 0)) for image in images)
    scores = np.concatenate([[], *(image["dtScores"] for image in images)])
    counts = ~np.concatenate([[], *(image["dtIgnore"][0] for image in images)]).astype(bool)
    matched = np.concatenate([[], *(image["dtMatches"][0] for image in images)]) > 0

    def measure(threshold: float) -> OperatingPoint:
        poses = counts & (scores >= threshold)
        found = int(np.count_nonzero(poses & matched))
        return OperatingPoint(
            threshold, _share(found, int(np.count_nonzero(poses))), _share(found, people)
        )

    return [measure(threshold) for threshold in sorted({*_THRESHOLDS, default})]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
