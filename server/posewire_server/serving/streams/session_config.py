"""The validated settings of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf import duration_pb2

from posewire.v1 import stream_pb2
from posewire_decoder import SmootherOptions
from posewire_server.errors import InvalidArgumentError, Violation
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.streams.resume_key import MAX_TOKEN_BYTES
from posewire_server.serving.streams.smoothing_config import (
    read_smoothing,
    smoothing_violations,
)

# The most that google.protobuf.Duration allows: 10,000 years.
_MAX_AGE_SECS = 315_576_000_000

_POLICIES = {
    stream_pb2.DELIVERY_POLICY_UNSPECIFIED: False,
    stream_pb2.DELIVERY_POLICY_IN_ORDER_LOSSLESS: False,
    stream_pb2.DELIVERY_POLICY_LATEST: True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """A stream's config with the server's defaults filled in.

    `latest`: whether a newer frame replaces one that waits. `window`: the maximum number of
    unanswered frames. `track`: whether poses get track ids. `smoothing`: how they are smoothed, if
    they are. `resume_token`: of an earlier call; empty for a new stream.
    """

    options: EstimateOptions
    latest: bool
    window: int
    max_frame_age_secs: float | None
    track: bool = False
    smoothing: SmootherOptions | None = None
    resume_token: bytes = b""

    @classmethod
    def from_proto(
        cls, config: stream_pb2.StreamConfig, *, defaults: EstimateOptions, max_window: int
    ) -> SessionConfig:
        """Validate a config. Raises `InvalidArgumentError` and `InvalidRegionError`."""
        if violations := tuple(_violations(config)):
            raise InvalidArgumentError(*violations)
        asked = config.max_frames_in_flight if config.HasField("max_frames_in_flight") else None
        has_age = config.HasField("max_frame_age")
        return cls(
            options=defaults.with_proto(config.options),
            latest=_POLICIES[config.delivery_policy],
            window=min(asked or max_window, max_window),
            max_frame_age_secs=_secs(config.max_frame_age) if has_age else None,
            track=config.track,
            smoothing=read_smoothing(config.smoothing_options) if config.smoothing else None,
            resume_token=config.resume_token,
        )


def _violations(config: stream_pb2.StreamConfig) -> Iterator[Violation]:
    if config.delivery_policy not in _POLICIES:
        yield Violation("delivery_policy", f"{config.delivery_policy}", "0, 1 or 2")
    if config.HasField("max_frames_in_flight") and config.max_frames_in_flight < 1:
        yield Violation("max_frames_in_flight", "0", "at least 1")
    if config.HasField("max_frame_age"):
        yield from _age_violations(config)
    if config.smoothing and not config.track:
        yield Violation("smoothing", "true, with track false", "track true, or smoothing false")
    if config.HasField("smoothing_options"):
        if not config.smoothing:
            yield Violation(
                "smoothing_options",
                "set, with smoothing false",
                "smoothing true, or no smoothing options",
            )
        yield from smoothing_violations(config.smoothing_options)
    if config.resume_token and not config.track:
        yield Violation("resume_token", "one, with track false", "track true, or no token")
    if len(config.resume_token) > MAX_TOKEN_BYTES:
        got = f"{len(config.resume_token)} bytes"
        yield Violation("resume_token", got, f"at most {MAX_TOKEN_BYTES} bytes")


def _age_violations(config: stream_pb2.StreamConfig) -> Iterator[Violation]:
    age = config.max_frame_age
    if not _POLICIES.get(config.delivery_policy, True):
        got = "one with the policy IN_ORDER_LOSSLESS"
        yield Violation("max_frame_age", got, "LATEST or none")
    elif not 0 < age.seconds + age.nanos / 1e9 <= _MAX_AGE_SECS or not 0 <= age.nanos < 10**9:
        got = f"{age.seconds} seconds and {age.nanos} nanoseconds"
        yield Violation("max_frame_age", got, f"more than 0 and at most {_MAX_AGE_SECS} seconds")


def _secs(duration: duration_pb2.Duration) -> float:
    return float(duration.seconds) + float(duration.nanos) / 1e9
