"""A frame that was processed, with times that a test or a benchmark chooses."""

from __future__ import annotations

from posewire_decoder import SerializedPoses
from posewire_server.estimation.pipeline import Estimate, StageTimes
from posewire_server.geometry import Size
from posewire_server.serving.frames.answer import SerializedFields
from posewire_server.serving.frames.frame_in_flight import Processed


def processed(times: StageTimes, *, people: int, waited_secs: float) -> Processed:
    """Return the outcome of a frame with this many people, whose poses are left out."""
    estimate = Estimate(SerializedPoses(b"", people), times, Size(4, 3))
    fields = SerializedFields.of(estimate, model_version="1", waited_secs=waited_secs)
    return Processed(estimate, waited_secs, fields)
