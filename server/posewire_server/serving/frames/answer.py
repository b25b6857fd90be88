"""Serializes results and outcomes.

FrameResult and EstimatePosesResponse have the same first five fields. A worker thread
serializes all of them but the total time, which the event loop, shared by all calls, adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import duration_pb2

from posewire.v1 import estimate_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesResponse
from posewire_server.estimation.pipeline import Estimate, StageTimes

_TOTAL = estimate_pb2.StageTimes.TOTAL_DURATION_FIELD_NUMBER
_STAGE_TIMES = stream_pb2.FrameResult.STAGE_TIMES_FIELD_NUMBER
_RESULT = stream_pb2.FrameOutcome.RESULT_FIELD_NUMBER
_OUTCOME = StreamPosesResponse.OUTCOME_FIELD_NUMBER


@dataclass(frozen=True, slots=True, eq=False)
class SerializedFields:
    """The fields of a result after its poses, without the total time.

    `times`: the fields of StageTimes; the total time is the last one.
    """

    before_times: bytes
    times: bytes

    @classmethod
    def of(
        cls, estimate: Estimate[Any], *, model_version: str, waited_secs: float
    ) -> SerializedFields:
        """Serialize; `waited_secs`, spent before the first stage, counts as queue."""
        fields = stream_pb2.FrameResult(
            model_version=model_version,
            image_width=estimate.frame.width,
            image_height=estimate.frame.height,
        )
        times = _stage_times(estimate.times, waited_secs)
        return cls(fields.SerializeToString(), times.SerializeToString())

    def after_poses(self, poses: bytes, *, total_secs: float) -> bytes:
        """Return the whole result."""
        total = embed(_TOTAL, to_duration(total_secs).SerializeToString())
        return poses + self.before_times + embed(_STAGE_TIMES, self.times + total)


def serialize_outcome(outcome: stream_pb2.FrameOutcome, *, result: bytes | None = None) -> bytes:
    """Serialize an outcome as a response of a stream; `result` is that of a processed frame."""
    fields = outcome.SerializeToString()
    if result is not None:
        fields += embed(_RESULT, result)
    return embed(_OUTCOME, fields)


def embed(field: int, message: bytes) -> bytes:
    """Serialize a field, with a number up to 15, that is a message."""
    size = len(message)
    header = bytearray((field << 3 | 2,))  # 2 is the wire type of what has a length
    while size > 0x7F:
        header.append(size & 0x7F | 0x80)
        size >>= 7
    header.append(size)
    return bytes(header) + message


def to_duration(secs: float) -> duration_pb2.Duration:
    whole, nanos = divmod(max(0, round(1e9 * secs)), 10**9)
    return duration_pb2.Duration(seconds=whole, nanos=nanos)


def _stage_times(times: StageTimes, waited_secs: float) -> estimate_pb2.StageTimes:
    decode = times.image_decode_secs
    return estimate_pb2.StageTimes(
        image_decode_duration=None if decode is None else to_duration(decode),
        queue_duration=to_duration(waited_secs + times.queue_secs),
        letterbox_duration=to_duration(times.letterbox_secs),
        inference_duration=to_duration(times.inference_secs),
        grouping_duration=to_duration(times.grouping_secs),
    )
