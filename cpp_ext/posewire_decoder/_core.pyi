from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

class Decoder:
    def __init__(
        self,
        *,
        detection_threshold: float,
        tag_threshold: float,
        refine_threshold: float,
        max_peaks: int,
        delta: tuple[float, float],
        nms: str,
        adjust: str,
        reference: bool,
        grouping_order: Sequence[int],
    ) -> None: ...
    def decode(
        self,
        heatmaps: object,
        tags: object,
        *,
        max_poses: int | None,
        min_pose_score: float,
        min_keypoint_score: float,
        refine: bool,
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.uint8],
        NDArray[np.float32],
        NDArray[np.float32],
    ]: ...

def join_duplicates(
    keypoints: object,
    keypoint_scores: object,
    origins: object,
    *,
    oks_sigmas: Sequence[float],
    oks_threshold: float,
) -> tuple[
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.uint8],
    NDArray[np.float32],
]: ...
