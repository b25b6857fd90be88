"""A frame's way through the network: letterbox, inference, grouping, and back to the frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions, Origin, Poses
from posewire_server.letterbox import InputGeometry, Letterbox, Size
from posewire_server.models.installed import InstalledModel
from posewire_server.models.network import read_network
from posewire_server.runner import OpenVinoRunner, Runner, RunnerOptions


@dataclass(frozen=True, slots=True, eq=False)
class FramePoses:
    """N poses of K keypoints in frame space.

    `keypoints` (N, K, 2): x, y in pixels of the frame, possibly a little outside of it; (0, 0)
    where absent. `keypoint_scores` (N, K), `origins` (N, K) and `scores` (N,) are the decoder's.
    """

    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    origins: NDArray[np.uint8]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long each stage took; the way back to the frame counts as grouping."""

    letterbox_secs: float
    inference_secs: float
    grouping_secs: float


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The poses in a frame, and how long it took to find them."""

    poses: FramePoses
    times: StageTimes


class Pipeline:
    """One model's way from frames to poses; as little to be shared between threads as its runner.

    `decoder` has the model's delta.
    """

    def __init__(self, runner: Runner, decoder: Decoder, geometry: InputGeometry) -> None:
        self._runner = runner
        self._decoder = decoder
        self._geometry = geometry

    @classmethod
    def for_model(
        cls,
        model: InstalledModel,
        options: RunnerOptions | None = None,
        *,
        reference: bool = False,
    ) -> Pipeline:
        """`reference`: as Open Model Zoo's accuracy checker resizes and decodes.

        The way back to the frame stays exact, where the checker's is off by up to half a pixel.
        """
        geometry = replace(model.geometry, shrinking="linear") if reference else model.geometry
        decoder = Decoder(DecoderOptions(delta=model.delta, reference=reference))
        return cls(OpenVinoRunner(read_network(model.path), options), decoder, geometry)

    def estimate(self, frame: NDArray[np.uint8]) -> Estimate:
        """The poses in a BGR frame (height, width, 3)."""
        start = perf_counter()
        letterbox = Letterbox.fitting(Size(frame.shape[1], frame.shape[0]), self._geometry)
        image = letterbox.apply(frame)
        boxed = perf_counter()
        output = self._runner.run(image)
        inferred = perf_counter()
        found = self._decoder.decode(output.heatmaps, output.tags)
        height, width = output.heatmaps.shape[1:]
        poses = _in_frame(found, letterbox, Size(width, height))
        times = StageTimes(boxed - start, inferred - boxed, perf_counter() - inferred)
        return Estimate(poses, times)


def _in_frame(poses: Poses, letterbox: Letterbox, heatmap: Size) -> FramePoses:
    keypoints = letterbox.frame_from_heatmap(poses.keypoints, heatmap)
    keypoints[poses.origins == Origin.ABSENT] = 0
    return FramePoses(
        keypoints.astype(np.float32), poses.keypoint_scores, poses.origins, poses.scores
    )
