"""Traces and metrics of a real server, sent to a collector of the test."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from posewire.v1.pose_service_pb2 import ListModelsRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.errors import InputError
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.observation.telemetry import (
    TelemetrySettings,
    call_within,
    telemetry_from_environment,
)
from posewire_server.serving.server import ServerOptions
from tests.reference.numbered_frames import person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import channel_to, serving
from tests.reference.waiting import wait_until

TIMEOUT = 20
TRACE = "0af7651916cd43dd8448eb211c80319c"
IMPORTS = """
import asyncio, sys
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import Server, ServerOptions

async def start():
    options = ServerOptions(address="127.0.0.1:0", observe=ObserveOptions(telemetry=True))
    server = Server(options)
    await server.start()
    await server.stop()

asyncio.run(start())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


class Collector(HTTPServer):
    """A collector of OTLP over HTTP, which keeps what it receives by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: defaultdict[str, list[bytes]] = defaultdict(list)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        self.server.received[self.path].append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def test_calls_are_sent_to_the_collector(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://127.0.0.1:{collector.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    options = ServerOptions(address="127.0.0.1:0", observe=ObserveOptions(telemetry=True))
    model = painted_model(PaintingRunner(person_of))
    with serving(model, options=options) as server, channel_to(server) as channel:
        metadata = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),)
        stub = PoseServiceStub(channel)
        _, call = stub.ListModels.with_call(ListModelsRequest(), timeout=TIMEOUT, metadata=metadata)
        request_id = dict(call.trailing_metadata())["x-request-id"]
    (body,) = collector.received["/v1/traces"]
    (traced,) = ExportTraceServiceRequest.FromString(body).resource_spans
    resource = {each.key: each.value.string_value for each in traced.resource.attributes}
    assert resource["service.name"] == "posewire"
    assert resource["deployment.environment.name"] == "test"
    (span,) = traced.scope_spans[0].spans
    assert span.name == "posewire.v1.PoseService/ListModels"
    assert span.trace_id.hex() == TRACE
    sent = {each.key: each.value.string_value for each in span.attributes}
    assert sent["posewire.request_id"] == request_id
    (body,) = collector.received["/v1/metrics"]
    (measured,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    (metric,) = measured.scope_metrics[0].metrics
    assert metric.name == "rpc.server.call.duration"
    assert metric.histogram.data_points[0].count == 1


def test_nothing_is_imported_unless_it_is_configured() -> None:
    command = [sys.executable, "-W", "error", "-c", IMPORTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={})
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_missing_package_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with caplog.at_level(logging.WARNING):
        assert telemetry_from_environment() is None
    (record,) = caplog.records
    assert "pip install 'posewire[otel]'" in record.getMessage()


def test_a_collector_that_does_not_answer_does_not_hold_the_server() -> None:
    returns = threading.Event()
    ended = threading.Event()
    calls = [lambda: returns.wait(TIMEOUT), ended.set]
    assert not asyncio.run(call_within(0.01, calls))
    returns.set()
    # In a thread that outlives the event loop; an error there would fail the test.
    assert ended.wait(TIMEOUT)
    wait_until(lambda: "telemetry" not in [each.name for each in threading.enumerate()])
    assert asyncio.run(call_within(TIMEOUT, calls))


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({}, TelemetrySettings()),
        (ENDPOINT, TelemetrySettings(traces="otlp")),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, TelemetrySettings()),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, TelemetrySettings()),
        ({"OTEL_TRACES_EXPORTER": "console"}, TelemetrySettings(traces="console")),
        ({"OTEL_TRACES_EXPORTER": " "}, TelemetrySettings()),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, TelemetrySettings(metrics="otlp")),
        (
            {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"},
            TelemetrySettings(metrics="otlp"),
        ),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, TelemetrySettings("otlp")),
    ],
)
def test_the_standard_variables_turn_exporters_on(
    environment: Mapping[str, str], settings: TelemetrySettings
) -> None:
    assert TelemetrySettings.from_environment(environment) == settings


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: got 'zipkin', want otlp, con"),
        (
            {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: got 'grpc', want http/protobuf",
        ),
    ],
)
def test_what_posewire_cannot_do_is_an_error(
    environment: Mapping[str, str], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        TelemetrySettings.from_environment(environment)
