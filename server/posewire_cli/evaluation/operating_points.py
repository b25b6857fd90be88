"""What a threshold on pose scores costs and gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posewire_cli.evaluation.accuracy import judged
from posewire_cli.evaluation.coco_dataset import CocoDataset, Frame, Record

_USUAL_THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Poses of at least that score, held against people at an OKS of 0.5.

    `precision` is the share of the poses that are somebody's, `recall` that of the people who are
    found; None where there are no poses or no people.
    """

    min_pose_score: float
    precision: float | None
    recall: float | None


def operating_points(
    dataset: CocoDataset[Frame], answers: list[Record], *, default: float
) -> list[OperatingPoint]:
    """At thresholds from 0.1 to 0.5, and at the model's own default.

    COCO gives people to poses in the order of their scores, so a threshold takes nobody from the
    poses above it.
    """
    # COCO's first range of areas is that of all people, its first OKS 0.5.
    judgements = judged(dataset, answers).evalImgs[: len(dataset.frames)]
    images = [image for image in judgements if image is not None]
    people = sum(int(np.count_nonzero(image["gtIgnore"] == 0)) for image in images)
    scores = np.concatenate([[], *(image["dtScores"] for image in images)])
    counts = ~np.concatenate([[], *(image["dtIgnore"][0] for image in images)]).astype(bool)
    matched = np.concatenate([[], *(image["dtMatches"][0] for image in images)]) > 0

    def at(threshold: float) -> OperatingPoint:
        poses = counts & (scores >= threshold)
        found = int(np.count_nonzero(poses & matched))
        return OperatingPoint(
            threshold, _share(found, int(np.count_nonzero(poses))), _share(found, people)
        )

    return [at(threshold) for threshold in sorted({*_USUAL_THRESHOLDS, default})]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
