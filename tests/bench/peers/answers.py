"""What every peer answers: serialized poses for the bytes of a raw frame."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from posewire_decoder import serialize_poses
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import ServedModel
from tests.bench.peers.request import SIDE
from tests.reference.stub_server import stub_model

# Peers run their programs in processes of their own, which inherit this.
NETWORK = "POSEWIRE_BENCH_NETWORK"


def answers(*, processes: int = 1) -> Callable[[bytes], bytes]:
    """Return a function from a frame to its poses, by the network that the environment names.

    "ready": the poses of the first frame, for all. "no-op": of a network that takes no time.
    "demo": of the bundled one, with this share of the processors.
    """
    name = os.environ[NETWORK]
    model = _model(name, processes)
    limits = ImageLimits()

    def estimate(frame: bytes) -> bytes:
        pixels = np.frombuffer(frame, np.uint8).reshape(SIDE, SIDE, 3)
        poses = model.pipeline.estimate_pixels(pixels, model.options, limits=limits).poses
        return serialize_poses(poses.keypoints, poses.keypoint_scores, poses.origins, poses.scores)

    if name != "ready":
        return estimate
    ready: list[bytes] = []

    def repeat(frame: bytes) -> bytes:
        if not ready:
            ready.append(estimate(frame))
        return ready[0]

    return repeat


def _model(name: str, processes: int) -> ServedModel:
    if name != "demo":
        return stub_model(capacity=1, secs=0.0)
    threads = max(1, (os.cpu_count() or 1) // processes) if processes > 1 else 0
    options = RunnerOptions(inference_num_threads=threads)
    return ServedModel.load(installed_model("demo"), options)
