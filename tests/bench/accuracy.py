"""How accurate the default and the reference mode are on painted scenes, as a Markdown table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from posewire_decoder import Decoder, DecoderOptions
from tests.reference.evaluation import (
    ScoredPoses,
    average_precision,
    grouping_accuracy,
    localisation_error,
)
from tests.reference.scenes import KINDS, PaintedScene, scene

DECODERS = {
    "reference": DecoderOptions(reference=True),
    "default": DecoderOptions(),
    "default, quarter": DecoderOptions(adjust="quarter"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200, help="painted scenes of each kind")
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.scenes)
    print("| scenes | decoder | AP | AP50 | AP75 | AR | grouping | error, cells |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for line in rows(kind, [scene(kind, seed) for seed in seeds]):
            print(line, flush=True)


def rows(kind: str, scenes: list[PaintedScene]) -> Iterator[str]:
    for name, options in DECODERS.items():
        decoder = Decoder(options)
        answers = []
        for each in scenes:
            poses = decoder.decode(each.heatmaps, each.tags)
            answers.append(ScoredPoses(poses.keypoints, poses.scores))
        precision = average_precision(scenes, answers)
        yield (
            f"| {kind} | {name} | {precision.ap:.3f} | {precision.ap50:.3f} "
            f"| {precision.ap75:.3f} | {precision.ar:.3f} "
            f"| {grouping_accuracy(scenes, answers):.3f} "
            f"| {localisation_error(scenes, answers):.3f} |"
        )


if __name__ == "__main__":
    main()
