"""Spans and durations of calls, kept in memory."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from posewire.v1 import stream_pb2
from posewire_server.estimation.pipeline import StageTimes
from posewire_server.serving.errors import DeadlineMissedError, ModelNotFoundError
from posewire_server.serving.frames.frame_in_flight import Skipped
from posewire_server.serving.observation.call import Call, Method
from posewire_server.serving.observation.tracing import CallDurations, Tracing
from tests.reference.processed import processed

STREAM = Method("poses.v1.Poses", "Stream", "bidi_stream")
UNARY = Method("poses.v1.Poses", "Once", "unary")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TIMES = StageTimes(
    letterbox_secs=0.001,
    inference_secs=0.02,
    grouping_secs=0.003,
    image_decode_secs=0.004,
    queue_secs=0.005,
)
RESULT = processed(TIMES, people=3, waited_secs=0.006)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Traces:
    """A `Tracing` and its finished spans."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider.get_tracer("test"), clock=self.clock)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def call(
        self, method: Method, traceparent: str = f"00-{TRACE}-{PARENT}-01", **others: str
    ) -> Call:
        metadata = [("traceparent", traceparent), ("x-bin", b"\xff"), ("x-request-id", "r-1")]
        metadata += others.items()
        return Call(method, (self.tracing,), peer="ipv4:10.0.0.1:1", metadata=metadata)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Traces:
    monkeypatch.delenv("OTEL_TRACES_SAMPLER", raising=False)
    return Traces()


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_call_is_a_child_of_the_callers_span(traces: Traces) -> None:
    call = traces.call(UNARY)
    call.model = "demo"
    call.accept_frame()
    call.end_frame(RESULT, frame_id=1, age_secs=0.04)
    call.end()
    frame, span = traces.spans
    assert span.name == "poses.v1.Poses/Once"
    assert span.kind is SpanKind.SERVER
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert attributes_of(span) == {
        "rpc.system.name": "grpc",
        "rpc.method": "poses.v1.Poses/Once",
        "rpc.response.status_code": "OK",
        "network.peer.address": "ipv4:10.0.0.1:1",
        "posewire.request_id": "r-1",
        "posewire.model": "demo",
        "posewire.frames.result": 1,
    }
    assert frame.parent is not None
    assert frame.parent.span_id == span.context.span_id
    assert frame.start_time is not None
    assert frame.end_time is not None
    assert frame.end_time - frame.start_time == 40_000_000
    assert attributes_of(frame) == {
        "posewire.frame_id": 1,
        "posewire.outcome": "result",
        "posewire.people": 3,
        "posewire.stage.image_decode_secs": 0.004,
        "posewire.stage.queue_secs": pytest.approx(0.011),
        "posewire.stage.letterbox_secs": 0.001,
        "posewire.stage.inference_secs": 0.02,
        "posewire.stage.grouping_secs": 0.003,
    }


def test_one_frame_a_second_of_a_stream_has_a_span(traces: Traces) -> None:
    call = traces.call(STREAM)
    for number in range(1, 41):
        call.accept_frame()
        if number % 4:
            call.end_frame(RESULT, frame_id=number, age_secs=0)
        else:
            skipped = Skipped(stream_pb2.SKIP_REASON_SUPERSEDED)
            call.end_frame(skipped, frame_id=number, age_secs=0)
        traces.clock.now += 0.125
    call.end()
    *frames, stream = traces.spans
    assert [attributes_of(each)["posewire.frame_id"] for each in frames] == [1, 9, 17, 25, 33]
    assert attributes_of(stream)["posewire.frames.result"] == 30
    assert attributes_of(stream)["posewire.frames.skipped.SUPERSEDED"] == 10


def test_only_errors_of_the_server_are_errors(traces: Traces) -> None:
    for error in (ModelNotFoundError("no", served=("demo",)), DeadlineMissedError("late")):
        call = traces.call(UNARY)
        call.fail(error)
        call.end()
    unknown, late = traces.spans
    assert unknown.status.status_code is StatusCode.UNSET
    assert "error.type" not in attributes_of(unknown)
    assert late.status.status_code is StatusCode.ERROR
    assert late.status.description == "late"
    assert attributes_of(late)["error.type"] == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("traceparent", ["", "garbage", f"00-{'0' * 32}-{PARENT}-01", "\0" * 9000])
def test_a_bad_traceparent_begins_a_trace(traces: Traces, traceparent: str) -> None:
    traces.call(UNARY, traceparent).end()
    (span,) = traces.spans
    assert span.parent is None


def test_the_callers_state_of_the_trace_is_kept(traces: Traces) -> None:
    traces.call(UNARY, tracestate="one=1,two=2").end()
    (span,) = traces.spans
    assert span.context.trace_state.to_header() == "one=1,two=2"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("baggage", "a," * 2000),
        ("baggage", "a"),
        ("tracestate", ",".join(f"{key}={'v' * 200}" for key in "abc")),
    ],
)
def test_other_and_longer_metadata_is_not_parsed(
    traces: Traces, caplog: pytest.LogCaptureFixture, key: str, value: str
) -> None:
    with caplog.at_level(logging.WARNING):
        traces.call(UNARY, **{key: value}).end()
    (span,) = traces.spans
    assert span.parent is not None
    assert not span.context.trace_state
    assert caplog.records == []


@pytest.mark.parametrize(
    "tracestate", ["=", "one=1,one=2", ",".join(f"k{i}=1" for i in range(40)), "K=\u00e9"]
)
def test_a_faulty_state_of_the_trace_is_not_logged(
    traces: Traces, caplog: pytest.LogCaptureFixture, tracestate: str
) -> None:
    traces.call(UNARY, tracestate=tracestate).end()
    (span,) = traces.spans
    assert span.parent is not None
    assert caplog.records == []


def test_a_trace_that_the_caller_does_not_sample_is_not_kept(traces: Traces) -> None:
    call = traces.call(STREAM, f"00-{TRACE}-{PARENT}-00")
    call.accept_frame()
    call.end_frame(RESULT, frame_id=1, age_secs=0)
    call.end()
    assert traces.spans == ()


def test_durations_of_calls_have_the_names_of_the_conventions() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    durations = CallDurations(provider.get_meter("test"))
    Call(UNARY, (durations,)).end()
    late = Call(UNARY, (durations,))
    late.fail(DeadlineMissedError("late"))
    late.end()
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("rpc.server.call.duration", "s")
    found = [dict(point.attributes or {}) for point in metric.data.data_points]
    method = {"rpc.system.name": "grpc", "rpc.method": "poses.v1.Poses/Once"}
    failed = {"rpc.response.status_code": "DEADLINE_EXCEEDED", "error.type": "DEADLINE_EXCEEDED"}
    assert found == [{**method, "rpc.response.status_code": "OK"}, {**method, **failed}]
    provider.shutdown()
