"""Messages for stage times."""

from __future__ import annotations

from google.protobuf import duration_pb2

from posewire.v1 import estimate_pb2
from posewire_server.estimation.pipeline import StageTimes


def stage_times_to_proto(
    times: StageTimes, *, waited_secs: float, total_secs: float
) -> estimate_pb2.StageTimes:
    """Convert stage times; `waited_secs`, spent before the first stage, counts as queue."""
    decode = times.image_decode_secs
    return estimate_pb2.StageTimes(
        image_decode_duration=None if decode is None else duration(decode),
        queue_duration=duration(waited_secs + times.queue_secs),
        letterbox_duration=duration(times.letterbox_secs),
        inference_duration=duration(times.inference_secs),
        grouping_duration=duration(times.grouping_secs),
        total_duration=duration(total_secs),
    )


def duration(secs: float) -> duration_pb2.Duration:
    value = duration_pb2.Duration()
    value.FromNanoseconds(max(0, round(1e9 * secs)))
    return value
