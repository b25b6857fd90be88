"""How accurate a network is on rendered scenes that it was not trained on.

`python -m training.evaluate --help`; needs no PyTorch.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from posewire_cli.evaluation.accuracy import Accuracy, evaluate, measure_accuracy
from posewire_cli.evaluation.coco_dataset import CocoDataset
from posewire_cli.evaluation.operating_points import operating_points
from posewire_server.estimation.pipeline import ALL_POSES, Pipeline
from posewire_server.models.installed import installed_model
from training.annotations import dataset
from training.splits import Split

Scenes = CocoDataset[NDArray[np.uint8]]

_CROWDS = {
    "1 person": (1,),
    "2 people": (2,),
    "3 to 4": (3, 4),
    "5 to 6": (5, 6),
    "7 to 8": (7, 8),
}


def main() -> None:
    options = _parser().parse_args()
    model = installed_model(options.model)
    pipeline = Pipeline.for_model(model, reference=options.decoding == "reference")
    scenes = dataset(Split[options.split], range(options.scenes), size=options.size)
    wanted = replace(ALL_POSES, flip_test=options.flip_test)
    evaluation = evaluate(
        scenes, lambda frame: pipeline.estimate(frame, wanted).poses, progress=True
    )
    print(f"{'scenes':12} {'number':>6} {'AP':>6} {'AP50':>6} {'AP75':>6} {'AR':>6}")
    _print("all", scenes, evaluation.accuracy)
    for name, counts in _CROWDS.items():
        crowd = _of_people(scenes, counts)
        if crowd.frames:
            _print(name, crowd, measure_accuracy(crowd, evaluation.results))
    print("\nmin_pose_score precision recall")
    for point in operating_points(scenes, evaluation.results, default=model.min_pose_score):
        shares = f"{point.precision or 0:9.3f} {point.recall or 0:6.3f}"
        print(f"{point.min_pose_score:14.2f} {shares}")


def _of_people(scenes: Scenes, counts: Collection[int]) -> Scenes:
    """The scenes with so many people."""
    present = Counter(person["image_id"] for person in scenes.people)
    frames = {i: frame for i, frame in scenes.frames.items() if present[i] in counts}
    return CocoDataset(frames, scenes.people)


def _print(name: str, scenes: Scenes, accuracy: Accuracy) -> None:
    shares = (accuracy.ap, accuracy.ap50, accuracy.ap75, accuracy.ar)
    print(f"{name:12} {len(scenes.frames):6}", *(f"{share or 0:6.3f}" for share in shares))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Average precision on rendered scenes by COCO's evaluation, areas of boxes.",
    )
    parser.add_argument(
        "--model", default="demo", help="name or .xml file; default: the bundled %(default)s"
    )
    parser.add_argument("--scenes", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--size", type=int, default=256, help="pixels; default: %(default)s")
    parser.add_argument(
        "--split",
        choices=[split.name for split in Split],
        default=Split.HELD_OUT.name,
        help="VALIDATION for decisions, HELD_OUT for the record; default: %(default)s",
    )
    parser.add_argument(
        "--decoding", choices=("default", "reference"), default="default", help="of the heatmaps"
    )
    parser.add_argument(
        "--flip-test", action="store_true", help="also run the network on the mirrored image"
    )
    return parser


if __name__ == "__main__":
    main()
