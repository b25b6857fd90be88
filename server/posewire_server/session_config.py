"""What holds for one stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf import duration_pb2

from posewire.v1 import stream_pb2
from posewire_server.errors import InvalidFieldsError
from posewire_server.estimate_options import EstimateOptions

_POLICIES = {
    stream_pb2.DELIVERY_POLICY_UNSPECIFIED: False,
    stream_pb2.DELIVERY_POLICY_IN_ORDER_LOSSLESS: False,
    stream_pb2.DELIVERY_POLICY_LATEST: True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """A stream's config, every part of it settled.

    `latest`: whether a newer frame takes the place of one that waits. `window`: how many frames
    may be unanswered.
    """

    options: EstimateOptions
    latest: bool
    window: int
    max_frame_age_secs: float | None

    @classmethod
    def from_proto(
        cls, config: stream_pb2.StreamConfig, *, defaults: EstimateOptions, max_window: int
    ) -> SessionConfig:
        """Raises `InvalidFieldsError` and `InvalidRegionError`."""
        faults = {f"config.{field}": fault for field, fault in _faults(config)}
        if faults:
            raise InvalidFieldsError(faults)
        asked = config.max_frames_in_flight if config.HasField("max_frames_in_flight") else None
        has_age = config.HasField("max_frame_age")
        return cls(
            options=defaults.with_proto(config.options, path="config.options"),
            latest=_POLICIES[config.delivery_policy],
            window=min(asked or max_window, max_window),
            max_frame_age_secs=_secs(config.max_frame_age) if has_age else None,
        )


def _faults(config: stream_pb2.StreamConfig) -> Iterator[tuple[str, str]]:
    if config.delivery_policy not in _POLICIES:
        yield "delivery_policy", f"got {config.delivery_policy}, want 0, 1 or 2"
    if config.HasField("max_frames_in_flight") and config.max_frames_in_flight < 1:
        yield "max_frames_in_flight", "got 0, want at least 1"
    if config.HasField("max_frame_age"):
        yield from _faults_of_age(config)
    if config.track:
        yield "track", "got true, want false: this server does not track"
    if config.smoothing:
        yield "smoothing", "got true, want false: this server does not track"


def _faults_of_age(config: stream_pb2.StreamConfig) -> Iterator[tuple[str, str]]:
    age = config.max_frame_age
    if not _POLICIES.get(config.delivery_policy, True):
        yield "max_frame_age", "got one with the policy IN_ORDER_LOSSLESS, want LATEST or none"
    elif age.seconds < 0 or not 0 <= age.nanos < 10**9 or age.seconds + age.nanos == 0:
        got = f"{age.seconds} seconds and {age.nanos} nanoseconds"
        yield "max_frame_age", f"got {got}, want more than zero"


def _secs(duration: duration_pb2.Duration) -> float:
    return float(duration.seconds) + float(duration.nanos) / 1e9
