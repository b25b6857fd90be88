"""Find people without a server, in this process.

    python examples/without_server.py people.jpg

A server with the same model gives the same answer.
"""

from __future__ import annotations

import sys

from posewire_server import LocalEstimator


def main(path: str) -> None:
    with LocalEstimator("demo") as estimator:
        poses = estimator.estimate(path).poses
        nose = estimator.skeleton.names.index("nose")
    for score, keypoints in zip(poses.scores, poses.keypoints, strict=True):
        x, y = keypoints[nose]
        print(f"score {score:.2f}, nose at {x:.1f}, {y:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
