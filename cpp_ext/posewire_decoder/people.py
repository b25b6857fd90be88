"""From a network's output to the people in a frame, and to bytes of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import flag, integer, number, numbers
from posewire_decoder.decoder import Decoder, ReferenceDecoder

_DUPLICATES = _core.DuplicateOptions()
_WANTED = _core.DecodeOptions()


class FrameFromHeatmap(NamedTuple):
    """Maps heatmap cells to pixels of the frame, along each axis: cell * scale - shift."""

    scale_x: float
    scale_y: float
    shift_x: float
    shift_y: float


@dataclass(frozen=True, slots=True)
class SerializedPoses:
    """The field `poses` of posewire.v1 FrameResult and EstimatePosesResponse, and their number."""

    data: bytes
    count: int

    def __len__(self) -> int:
        return self.count


class PeopleDecoder:
    """Decode a network's output into the people in a frame.

    It decodes, maps to the frame, joins duplicates as `join_duplicates` does, and applies limits
    and thresholds, all in one call without the GIL. `oks_sigmas`: K numbers. `oks_threshold`: two
    poses of a greater OKS are one person. `max_candidates`: how many of the best poses are searched
    for duplicates, since the time grows with the square of that. With a `ReferenceDecoder`, whose
    poses are neither limited nor joined, people may occur twice.

    Immutable, and safe to share between threads. Raises `TypeError` for a decoder or a value of
    another type, and `ValueError` naming the option that is out of range.
    """

    __slots__ = ("_compiled",)

    def __init__(
        self,
        decoder: Decoder | ReferenceDecoder,
        *,
        oks_sigmas: Sequence[float],
        oks_threshold: float = _DUPLICATES.oks_threshold,
        max_candidates: int = _DUPLICATES.max_candidates,
    ) -> None:
        duplicates = _core.DuplicateOptions()
        duplicates.oks_sigmas = numbers("oks_sigmas", oks_sigmas)
        duplicates.oks_threshold = number("oks_threshold", oks_threshold)
        duplicates.max_candidates = integer("max_candidates", max_candidates)
        if isinstance(decoder, ReferenceDecoder):
            self._compiled = _core.PeopleDecoder(decoder._compiled)
        elif isinstance(decoder, Decoder):
            self._compiled = _core.PeopleDecoder(decoder._compiled, duplicates)
        else:
            raise TypeError(
                f"decoder: got {type(decoder).__name__}, want Decoder or ReferenceDecoder"
            )

    def decode(
        self,
        heatmaps: NDArray[np.float32],
        tags: NDArray[np.float32],
        *,
        frame_from_heatmap: FrameFromHeatmap,
        max_poses: int | None = _WANTED.max_poses,
        min_pose_score: float = _WANTED.min_pose_score,
        min_keypoint_score: float = _WANTED.min_keypoint_score,
        refine: bool = _WANTED.refine,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
        """Return keypoints in frame space, keypoint scores, origins and scores, best person first.

        `heatmaps`, `tags` and errors as for `Decoder.decode`. An absent keypoint is at (0, 0).

        The options are as for `Decoder.decode`, but concern people: `max_poses` and the thresholds
        apply after duplicates are joined. Like scores, thresholds are rounded to float32.
        """
        return self._compiled.decode(
            heatmaps,
            tags,
            frame_from_heatmap=frame_from_heatmap,
            max_poses=None if max_poses is None else integer("max_poses", max_poses),
            min_pose_score=number("min_pose_score", min_pose_score),
            min_keypoint_score=number("min_keypoint_score", min_keypoint_score),
            refine=flag("refine", refine),
        )

    def decode_to_bytes(
        self,
        heatmaps: NDArray[np.float32],
        tags: NDArray[np.float32],
        *,
        frame_from_heatmap: FrameFromHeatmap,
        max_poses: int | None = _WANTED.max_poses,
        min_pose_score: float = _WANTED.min_pose_score,
        min_keypoint_score: float = _WANTED.min_keypoint_score,
        refine: bool = _WANTED.refine,
    ) -> SerializedPoses:
        """Decode, and serialize the people as `serialize_poses` does, still without the GIL."""
        data, count = self._compiled.decode_to_bytes(
            heatmaps,
            tags,
            frame_from_heatmap=frame_from_heatmap,
            max_poses=None if max_poses is None else integer("max_poses", max_poses),
            min_pose_score=number("min_pose_score", min_pose_score),
            min_keypoint_score=number("min_keypoint_score", min_keypoint_score),
            refine=flag("refine", refine),
        )
        return SerializedPoses(data, count)


def serialize_poses(
    keypoints: NDArray[np.float32],
    keypoint_scores: NDArray[np.float32],
    origins: NDArray[np.uint8],
    scores: NDArray[np.float32],
    *,
    track_ids: NDArray[np.uint32] | None = None,
) -> bytes:
    """Return the field `poses` of posewire.v1 FrameResult and EstimatePosesResponse.

    The bytes are those that protobuf writes. `keypoints` float32 (N, K, 2) in frame space,
    `keypoint_scores` float32 (N, K), `origins` uint8 (N, K), `scores` float32 (N,) and `track_ids`
    uint32 (N,), 0 for a pose without a track: all C-contiguous.

    Raises `TypeError` for arrays of other types and `ValueError` for a memory layout or shape that
    does not fit. Both name the argument, what it got and what it wants.
    """
    return _core.serialize_poses(keypoints, keypoint_scores, origins, scores, track_ids=track_ids)
