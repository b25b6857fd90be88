"""The parameters of smoothing in the config of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from posewire.v1 import stream_pb2
from posewire_decoder import SmootherOptions
from posewire_server.errors import Violation

# As in stream.proto. Beyond these cutoffs the filter does nothing, or keypoints stand still.
_RANGES = {
    "min_cutoff_hz": (0.001, 1000.0),
    "cutoff_per_speed": (0.0, 1000.0),
    "speed_cutoff_hz": (0.001, 1000.0),
}
_MAX_GAP_SECS = 10


def smoothing_violations(options: stream_pb2.SmoothingOptions) -> Iterator[Violation]:
    """Yield each field that is out of its range, named from the config on."""
    for name, (low, high) in _RANGES.items():
        value = getattr(options, name)
        if options.HasField(name) and not low <= value <= high:
            yield Violation(f"smoothing_options.{name}", f"{value:g}", f"{low:g} to {high:g}")
    gap = options.max_gap
    if not 0 <= gap.nanos < 10**9 or not 0 <= gap.seconds + gap.nanos / 1e9 <= _MAX_GAP_SECS:
        got = f"{gap.seconds} seconds and {gap.nanos} nanoseconds"
        yield Violation("smoothing_options.max_gap", got, f"0 to {_MAX_GAP_SECS} seconds")


def read_smoothing(options: stream_pb2.SmoothingOptions) -> SmootherOptions:
    """Return valid options with defaults for those that are absent."""
    given = {name: getattr(options, name) for name in _RANGES if options.HasField(name)}
    if options.HasField("max_gap"):
        given["max_gap_secs"] = options.max_gap.seconds + options.max_gap.nanos / 1e9
    return replace(SmootherOptions(), **given)
