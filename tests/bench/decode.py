"""How long decoding takes, beside a plain sum over the same heatmaps in the same run.

Prints Markdown tables: run it through `make bench`, with nothing else on the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

# One thread for everything, the BLAS of the second yardstick included.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from posewire_decoder import Decoder, ReferenceDecoder
from tests.bench.machine import measured_on
from tests.reference.scenes import PaintedScene, crowd

PEOPLE = (0, 1, 5, 10, 20, 30)
SIZES = ((256, 256), (144, 144), (464, 256))
TITLES = (
    "heatmaps",
    "people",
    "missing",
    "NumPy sum",
    "decode",
    "decode / sum",
    "decode / dot",
    "reference",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="timings per cell of the table")
    parser.add_argument("--seeds", type=int, default=3, help="scenes per cell of the table")
    arguments = parser.parse_args()
    print(f"{measured_on(f'NumPy {np.__version__}')}; one thread, medians in microseconds.\n")
    for apart in (True, False):
        print("People who stand apart:\n" if apart else "\nPeople who hide each other:\n")
        print(f"| {' | '.join(TITLES)} |")
        print("|---" * len(TITLES) + "|")
        for width, height in SIZES:
            for count in PEOPLE:
                scenes = [
                    crowd(count, width=width, height=height, seed=seed, apart=apart)
                    for seed in range(arguments.seeds)
                ]
                print(row(scenes, count, arguments.rounds))


def row(scenes: list[PaintedScene], count: int, rounds: int) -> str:
    """One line of the table: medians over the scenes of medians over the rounds."""
    decoder, reference = Decoder(), ReferenceDecoder()
    measured = []
    for scene in scenes:
        heatmaps, tags = scene.heatmaps, scene.tags
        flat = heatmaps.ravel()
        micros = in_turns(
            rounds,
            heatmaps.sum,
            lambda flat=flat: np.dot(flat, flat),
            lambda heatmaps=heatmaps, tags=tags: decoder.decode(heatmaps, tags),
        )
        micros += in_turns(
            max(rounds // 50, 3),
            lambda heatmaps=heatmaps, tags=tags: reference.decode(heatmaps, tags),
        )
        # Keypoints that refine has to look for.
        missing = int((decoder.decode(heatmaps, tags, refine=False).origins != 1).sum())
        measured.append((*micros, missing))
    columns = zip(*measured, strict=True)
    total, dot, decode, slow, missing = (statistics.median(column) for column in columns)
    _, height, width = scenes[0].heatmaps.shape
    return (
        f"| {width}×{height} | {count} | {missing:.0f} | {total:.0f} | {decode:.0f} "
        f"| {decode / total:.2f} | {decode / dot:.2f} | {slow:.0f} |"
    )


def in_turns(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Median microseconds of each action, one after the other in every round: whatever else the
    machine does meets them all alike.
    """
    samples: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, own in zip(actions, samples, strict=True):
            start = time.perf_counter()
            action()
            own.append((time.perf_counter() - start) * 1e6)
    return [statistics.median(own) for own in samples]


if __name__ == "__main__":
    main()
