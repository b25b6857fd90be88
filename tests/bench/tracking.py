"""How long tracking and smoothing take: `python -m tests.bench.tracking`, on an idle machine."""

from __future__ import annotations

import statistics
import time

import numpy as np

from posewire_decoder import Origin, Smoother, Tracker, TrackerOptions
from posewire_server.skeleton import COCO
from tests.bench.machine import measured_on

PEOPLE = (1, 10, 30, 100)
FRAMES = 200
REGIONS = 8


def main() -> None:
    print(f"{measured_on(f'NumPy {np.__version__}')}; one thread, medians in microseconds.\n")
    print("| people | track | smooth |\n|---|---|---|")
    for count in PEOPLE:
        tracking, smoothing = measure(count)
        print(f"| {count} | {tracking * 1e6:.0f} | {smoothing * 1e6:.0f} |")


def measure(count: int) -> tuple[float, float]:
    """Median seconds a frame, of people who walk over a large frame."""
    rng = np.random.default_rng(1)
    bodies = rng.uniform(0, 1500, (count, 1, 2)) + rng.uniform(0, [60, 160], (count, 17, 2))
    steps = rng.normal(0, 2, (count, 1, 2))
    colours = rng.uniform(1, 255, (count, REGIONS, 4)).astype(np.float32)
    keypoint_scores = np.full((count, 17), 0.7, np.float32)
    origins = np.full((count, 17), Origin.DETECTED, np.uint8)
    scores = np.full(count, 0.7, np.float32)
    tracker, smoother = Tracker(TrackerOptions(oks_sigmas=COCO.oks_sigmas)), Smoother()
    tracking, smoothing = [], []
    for frame in range(FRAMES):
        bodies += steps
        keypoints = (bodies + rng.normal(0, 1, bodies.shape)).astype(np.float32)
        began = time.perf_counter()
        ids = tracker.update(frame / 25, keypoints, keypoint_scores, origins, scores, colours)
        tracked = time.perf_counter()
        smoother.update(frame / 25, keypoints, keypoint_scores, origins, ids)
        tracking.append(tracked - began)
        smoothing.append(time.perf_counter() - tracked)
    return statistics.median(tracking), statistics.median(smoothing)


if __name__ == "__main__":
    main()
