from collections.abc import Mapping, Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

class ModelOptions:
    def __init__(self) -> None: ...
    detection_threshold: float
    tag_threshold: float
    delta: tuple[float, float]
    nms: Literal["graph", "decoder"]
    grouping_order: list[int]

class DecoderOptions(ModelOptions):
    max_peaks: int
    refine_threshold: float
    adjust: Literal["parabola", "quarter"]

class ReferenceOptions(ModelOptions):
    max_peaks: int

class DecodeOptions:
    max_poses: int | None
    min_pose_score: float
    min_keypoint_score: float
    refine: bool
    def __init__(self) -> None: ...

class DuplicateOptions:
    oks_sigmas: list[float]
    oks_threshold: float
    max_candidates: int
    def __init__(self) -> None: ...

class _AnyDecoder:
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

class Decoder(_AnyDecoder):
    def __init__(self, options: DecoderOptions) -> None: ...

class ReferenceDecoder(_AnyDecoder):
    def __init__(self, options: ReferenceOptions) -> None: ...

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
def merge_mirrored(
    heatmaps: object,
    tags: object,
    mirrored_heatmaps: object,
    mirrored_tags: object,
    *,
    mirrored_keypoints: Sequence[int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...

class PeopleDecoder:
    @overload
    def __init__(self, decoder: ReferenceDecoder) -> None: ...
    @overload
    def __init__(self, decoder: Decoder, duplicates: DuplicateOptions) -> None: ...
    def decode(
        self,
        heatmaps: object,
        tags: object,
        *,
        frame_from_heatmap: tuple[float, float, float, float],
        max_poses: int | None,
        min_pose_score: float,
        min_keypoint_score: float,
        refine: bool,
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.uint8],
        NDArray[np.float32],
    ]: ...
    def decode_to_bytes(
        self,
        heatmaps: object,
        tags: object,
        *,
        frame_from_heatmap: tuple[float, float, float, float],
        max_poses: int | None,
        min_pose_score: float,
        min_keypoint_score: float,
        refine: bool,
    ) -> tuple[bytes, int]: ...

def serialize_poses(
    keypoints: object,
    keypoint_scores: object,
    origins: object,
    scores: object,
    *,
    track_ids: object,
) -> bytes: ...

class MessageKind:
    def __init__(self, submessages: Mapping[int, object]) -> None: ...
    def has_at_most(self, count: int, message: bytes) -> bool: ...

def serialize_result(poses: bytes, fields: bytes, stage_secs: Sequence[float | None]) -> bytes: ...
def serialize_outcome(
    poses: bytes,
    fields: bytes,
    stage_secs: Sequence[float | None],
    *,
    frame_id: int,
    frames_skipped_before: int,
    resume_token: bytes,
) -> bytes: ...

class TrackerOptions:
    def __init__(self) -> None: ...
    oks_sigmas: list[float]
    high_score: float
    low_score: float
    new_score: float
    sure_score: float
    confirm_hits: int
    max_lost_secs: float
    max_tracks: int
    colour_weight: float

class Tracker:
    def __init__(self, options: TrackerOptions) -> None: ...
    def update(
        self,
        secs: float,
        keypoints: object,
        keypoint_scores: object,
        origins: object,
        scores: object,
        colours: object,
    ) -> NDArray[np.uint32]: ...
    def save(self, max_tracks: int) -> bytes: ...
    def restore(self, state: bytes) -> None: ...

class SmootherOptions:
    def __init__(self) -> None: ...
    min_cutoff_hz: float
    cutoff_per_speed: float
    speed_cutoff_hz: float
    max_gap_secs: float

class Smoother:
    def __init__(self, options: SmootherOptions) -> None: ...
    def update(
        self,
        secs: float,
        keypoints: object,
        keypoint_scores: object,
        origins: object,
        track_ids: object,
    ) -> NDArray[np.float32]: ...

def sample_colours(
    image: object,
    keypoints: object,
    keypoint_scores: object,
    origins: object,
    regions: Sequence[Sequence[tuple[int, int, float]]],
) -> NDArray[np.float32]: ...
def minimum_cost_assignment(cost: object) -> list[int]: ...
