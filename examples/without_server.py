"""Find people without a server, in this process.

    python examples/without_server.py people.jpg

The server uses the same pipeline.
"""

from __future__ import annotations

import sys
from pathlib import Path

from posewire_server.estimation.pipeline import Pipeline
from posewire_server.models.installed import installed_model


def main(path: str) -> None:
    pipeline = Pipeline.for_model(installed_model("demo"))
    estimate = pipeline.estimate_file(Path(path))
    poses = estimate.poses
    for score, keypoints in zip(poses.scores, poses.keypoints, strict=True):
        if score >= 0.35:
            print(f"score {score:.2f}, {len(keypoints)} keypoints")


if __name__ == "__main__":
    main(*sys.argv[1:])
