"""Spans and durations of calls, by OpenTelemetry's conventions for RPC.

Imported only if OpenTelemetry is installed and configured.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from posewire_server.serving.observation.call import (
    STAGES,
    UNKNOWN_METHOD,
    Call,
    FrameEnd,
    Metadata,
    stage_secs,
)

# The caller's span. Other metadata is not parsed: OpenTelemetry's parser of `baggage` takes time
# that is quadratic in the length, and logs every fault.
_PROPAGATED = frozenset({"traceparent", "tracestate"})
_MAX_PROPAGATED_CHARS = 512
_PROPAGATOR = TraceContextTextMapPropagator()
# Its parts that warn of each fault in a header, which any caller could repeat to fill the log.
_PARSERS = ("opentelemetry.trace.propagation.tracecontext", "opentelemetry.trace.span")
# Frames of a stream that get a span of their own.
_FRAMES_PER_SEC = 1.0
# Status codes that are errors of the server, by OpenTelemetry's conventions for gRPC.
_SERVER_ERRORS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
# Those that the conventions advise for durations in seconds.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_NANOS = 1_000_000_000


@dataclass(slots=True)
class _Traced:
    """The span of a call; its next frame with a span is one that ends at `next_frame_at`."""

    span: Span
    next_frame_at: float = field(default=0.0)


class Tracing:
    """Makes a span of every call, as a child of the caller's, with spans of some of its frames.

    Every image of a unary call and at most one frame a second of a stream has a span, with the time
    of each stage. Belongs to one event loop.
    """

    def __init__(self, tracer: Tracer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tracer = tracer
        self._clock = clock
        self._traced: dict[Call, _Traced] = {}
        for name in _PARSERS:
            logging.getLogger(name).setLevel(logging.ERROR)

    def start_call(self, call: Call, metadata: Metadata) -> None:
        span = self._tracer.start_span(
            f"{call.method.service}/{call.method.name}",
            context=_PROPAGATOR.extract(_carrier_in(metadata)),
            kind=SpanKind.SERVER,
            attributes={
                **_method_attributes(call),
                "network.peer.address": call.peer,
                "posewire.request_id": call.request_id,
            },
        )
        if span.is_recording():
            self._traced[call] = _Traced(span)

    def end_frame(self, call: Call, frame: FrameEnd) -> None:
        traced = self._traced.get(call)
        if traced is None or (now := self._clock()) < traced.next_frame_at:
            return
        traced.next_frame_at = now + 1 / _FRAMES_PER_SEC
        ended_at = time.time_ns()
        span = self._tracer.start_span(
            "frame",
            context=set_span_in_context(traced.span),
            start_time=ended_at - round(_NANOS * frame.age_secs),
            attributes=_frame_attributes(frame),
        )
        span.end(ended_at)

    def end_call(self, call: Call) -> None:
        traced = self._traced.pop(call, None)
        if traced is None:
            return
        for (outcome, reason), count in call.frames.items():
            name = f"{outcome}.{reason}" if reason else outcome
            traced.span.set_attribute(f"posewire.frames.{name}", count)
        traced.span.set_attributes(_status_attributes(call))
        for name, value in (("posewire.model", call.model), ("posewire.caller", call.caller)):
            if value:
                traced.span.set_attribute(name, value)
        if call.code in _SERVER_ERRORS:
            traced.span.set_status(StatusCode.ERROR, call.error or call.code)
        traced.span.end()


class CallDurations:
    """Records `rpc.server.call.duration` of every call."""

    def __init__(self, meter: Meter) -> None:
        self._durations = meter.create_histogram(
            "rpc.server.call.duration",
            unit="s",
            description="Measures the duration of an incoming Remote Procedure Call (RPC).",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )

    def start_call(self, call: Call, metadata: Metadata) -> None:
        """Do nothing: a duration is known at the end."""

    def end_frame(self, call: Call, frame: FrameEnd) -> None:
        """Do nothing: frames have no name in the conventions."""

    def end_call(self, call: Call) -> None:
        self._durations.record(
            call.age_secs, {**_method_attributes(call), **_status_attributes(call)}
        )


def _carrier_in(metadata: Metadata) -> dict[str, str]:
    return {
        key: value
        for key, value in metadata
        if key in _PROPAGATED and isinstance(value, str) and len(value) <= _MAX_PROPAGATED_CHARS
    }


def _method_attributes(call: Call) -> dict[str, AttributeValue]:
    method = call.method
    name = "_OTHER" if method is UNKNOWN_METHOD else f"{method.service}/{method.name}"
    return {"rpc.system.name": "grpc", "rpc.method": name}


def _status_attributes(call: Call) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {"rpc.response.status_code": call.code}
    if call.code in _SERVER_ERRORS:
        attributes["error.type"] = call.code
    return attributes


def _frame_attributes(frame: FrameEnd) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "posewire.frame_id": frame.frame_id,
        "posewire.outcome": frame.labels.outcome,
    }
    if frame.labels.reason:
        attributes["posewire.reason"] = frame.labels.reason
    if frame.processed is not None:
        attributes["posewire.people"] = len(frame.processed.estimate.poses)
        for stage, secs in zip(STAGES, stage_secs(frame.processed), strict=True):
            attributes[f"posewire.stage.{stage}_secs"] = secs
    return attributes
