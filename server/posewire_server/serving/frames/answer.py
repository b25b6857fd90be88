"""Serializes results and outcomes.

FrameResult and EstimatePosesResponse have the same first five fields. A worker thread prepares all
of them but the total time, which the event loop, shared by all calls, adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.protobuf import duration_pb2

from posewire.v1 import stream_pb2
from posewire_decoder import serialize_outcome, serialize_result
from posewire_server.estimation.pipeline import Estimate
from posewire_server.geometry import Size


@dataclass(frozen=True, slots=True, eq=False)
class SerializedFields:
    """The fields of a result after its poses, without the total time.

    `stage_secs`: those of StageTimes in the order of its fields; the total time is the last one.
    """

    before_times: bytes
    stage_secs: tuple[float | None, ...]

    @classmethod
    def of(
        cls, estimate: Estimate[Any], *, model_version: str, waited_secs: float
    ) -> SerializedFields:
        """Serialize; `waited_secs`, spent before the first stage, counts as queue."""
        times = estimate.times
        stage_secs = (
            times.image_decode_secs,
            waited_secs + times.queue_secs,
            times.letterbox_secs,
            times.inference_secs,
            times.grouping_secs,
        )
        return cls(_version_and_size(model_version, estimate.frame), stage_secs)

    def result(self, poses: bytes, *, total_secs: float) -> bytes:
        """Serialize the whole result."""
        return serialize_result(poses, self.before_times, (*self.stage_secs, total_secs))

    def outcome(
        self,
        poses: bytes,
        *,
        total_secs: float,
        frame_id: int,
        frames_skipped_before: int,
        resume_token: bytes,
    ) -> bytes:
        """Serialize a response of a stream with the whole result as the outcome of a frame."""
        return serialize_outcome(
            poses,
            self.before_times,
            (*self.stage_secs, total_secs),
            frame_id=frame_id,
            frames_skipped_before=frames_skipped_before,
            resume_token=resume_token,
        )


def to_duration(secs: float) -> duration_pb2.Duration:
    whole, nanos = divmod(max(0, round(1e9 * secs)), 10**9)
    return duration_pb2.Duration(seconds=whole, nanos=nanos)


# The frames of a stream have the same size, mostly.
@lru_cache(maxsize=256)
def _version_and_size(version: str, size: Size) -> bytes:
    fields = stream_pb2.FrameResult(
        model_version=version, image_width=size.width, image_height=size.height
    )
    return fields.SerializeToString()
