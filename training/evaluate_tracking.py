"""How well people in rendered clips are followed: `python -m training.evaluate_tracking --help`.

Runs a network, the tracker and the smoother as the server does for a stream.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_cli.evaluation.tracking import TrackedFrame, evaluate_tracks, oks
from posewire_decoder import SmootherOptions
from posewire_server.estimation.following import Follower
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.models.installed import installed_model
from posewire_server.skeleton import COCO
from training.clips import CLIP_RATE, clip
from training.renderer import Person, Plot, Scene
from training.splits import Split


def main() -> None:
    options = _parser().parse_args()
    model = installed_model(options.model)
    pipeline = Pipeline.for_model(model)
    estimate_options = EstimateOptions.for_model(model)
    print(f"{'plot':14} clips  HOTA  AssA  DetA  IDF1  MOTA switches")
    for plot in Plot:
        clips = []
        for index in range(options.clips):
            smoothing = SmootherOptions() if options.smooth else None
            follower = Follower(estimate_options, smoothing=smoothing, colours=options.colours)
            scenes = clip(Split[options.split], plot, index)
            clips.append(list(_follow(scenes, pipeline, follower, options.every)))
        result = evaluate_tracks(clips)
        shares = (result.hota, result.ass_a, result.det_a, result.idf1, result.mota)
        figures = " ".join(f"{share:5.3f}" for share in shares)
        print(f"{plot.name:14} {len(clips):5} {figures} {result.switches:8}", flush=True)


def _follow(
    scenes: Iterator[Scene], pipeline: Pipeline, follower: Follower, every: int
) -> Iterator[TrackedFrame]:
    for number, scene in enumerate(scenes):
        if number % every:
            continue
        estimate = pipeline.estimate(scene.image, follower.estimate_options)
        poses = follower.follow(number / CLIP_RATE, estimate.poses, estimate.colours)
        assert poses.track_ids is not None
        found = np.flatnonzero(poses.track_ids)
        yield TrackedFrame(
            true_ids=[person.identity for person in scene.people],
            found_ids=poses.track_ids[found].tolist(),
            similarity=_similarity(scene.people, poses.keypoints[found]),
        )


def _similarity(people: Sequence[Person], found: NDArray[np.float32]) -> NDArray[np.float64]:
    """OKS with the areas of boxes."""
    return oks(
        np.array([person.keypoints for person in people]).reshape(-1, 17, 2),
        np.array([person.visibility > 0 for person in people]).reshape(-1, 17),
        np.array([person.box[2] * person.box[3] for person in people]),
        found,
        COCO.oks_sigmas,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_tracking",
        description="HOTA, IDF1 and MOTA on rendered clips, by the OKS of poses with a track id.",
    )
    parser.add_argument(
        "--model", default="demo", help="name or .xml file; default: the bundled %(default)s"
    )
    parser.add_argument("--clips", type=int, default=8, help="of each plot; default: %(default)s")
    parser.add_argument("--every", type=int, default=1, help="use each n-th frame")
    parser.add_argument("--smooth", action="store_true", help="smooth the keypoints")
    parser.add_argument(
        "--no-colours", dest="colours", action="store_false", help="match by keypoints alone"
    )
    parser.add_argument(
        "--split",
        choices=[Split.VALIDATION.name, Split.HELD_OUT.name],
        default=Split.HELD_OUT.name,
        help="VALIDATION for decisions, HELD_OUT for the record; default: %(default)s",
    )
    return parser


if __name__ == "__main__":
    main()
