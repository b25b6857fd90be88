"""OpenTelemetry as the standard variables OTEL_* configure it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from posewire_server.errors import InputError
from posewire_server.serving.observation.call import Observer

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

_LOG = logging.getLogger(__name__)

_EXPORTERS = ("otlp", "console", "none")
_PROTOCOL = "http/protobuf"
# How long the end of the server waits for the last spans to be sent.
_FLUSH_SECS = 3.0


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Which exporters get traces and metrics: otlp, console or none."""

    traces: str = "none"
    metrics: str = "none"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> TelemetrySettings:
        """Read OTEL_*. Raises `InputError` for an exporter or a protocol that is not supported.

        A common endpoint turns on traces only, since metrics are served to Prometheus already.
        """
        if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return cls()
        has_endpoint = _is_set(environment, "OTEL_EXPORTER_OTLP_ENDPOINT")
        settings = cls(
            _exporter(environment, "TRACES", has_endpoint=has_endpoint),
            _exporter(environment, "METRICS", has_endpoint=False),
        )
        for signal, exporter in (("TRACES", settings.traces), ("METRICS", settings.metrics)):
            if exporter == "otlp":
                _check_protocol(environment, signal)
        return settings

    @property
    def is_on(self) -> bool:
        return self != TelemetrySettings()


class Telemetry:
    """Observers that export spans and metrics as OTEL_* configure; `stop` exports the last ones."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self.observers: list[Observer] = []
        self._shutdowns: list[Callable[[], object]] = []
        resource = _resource()
        if settings.traces != "none":
            self._trace(settings.traces, resource)
        if settings.metrics != "none":
            self._measure(settings.metrics, resource)

    async def stop(self) -> None:
        """Send what is left, for at most three seconds."""
        if not await call_within(_FLUSH_SECS, self._shutdowns):
            _LOG.warning("OpenTelemetry: the last spans were not sent in %g s", _FLUSH_SECS)

    def _trace(self, exporter: str, resource: Resource) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            ConsoleSpanExporter,
            SimpleSpanProcessor,
        )

        from posewire_server.serving.observation.tracing import Tracing

        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        if exporter == "otlp":
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        else:
            provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
        self.observers.append(Tracing(provider.get_tracer("posewire", version("posewire"))))
        self._shutdowns.append(provider.shutdown)

    def _measure(self, exporter: str, resource: Resource) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import (
            ConsoleMetricExporter,
            PeriodicExportingMetricReader,
        )

        from posewire_server.serving.observation.tracing import CallDurations

        sink = OTLPMetricExporter() if exporter == "otlp" else ConsoleMetricExporter()
        provider = MeterProvider(
            [PeriodicExportingMetricReader(sink)], resource=resource, shutdown_on_exit=False
        )
        self.observers.append(CallDurations(provider.get_meter("posewire", version("posewire"))))
        self._shutdowns.append(provider.shutdown)


async def call_within(secs: float, functions: Sequence[Callable[[], object]]) -> bool:
    """Call functions that block, and return whether they have returned in time.

    If not, they go on in a thread for which the process does not wait.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def call() -> None:
        for function in functions:
            function()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=call, name="telemetry", daemon=True).start()
    try:
        await asyncio.wait_for(done.wait(), secs)
    except asyncio.TimeoutError:
        return False
    return True


def telemetry_from_environment() -> Telemetry | None:
    """Start the telemetry that OTEL_* configure, if any.

    Warns and returns None if OpenTelemetry is not installed. Raises `InputError` for a bad value.
    """
    settings = TelemetrySettings.from_environment()
    if not settings.is_on:
        return None
    try:
        return Telemetry(settings)
    except ValueError as error:
        raise InputError(f"OTEL_*: {error}") from error
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        _LOG.warning(
            "OTEL_* ask for traces or metrics, but %s is not installed; run: "
            "pip install 'posewire[otel]'",
            error.name,
        )
        return None


def _exporter(environment: Mapping[str, str], signal: str, *, has_endpoint: bool) -> str:
    variable = f"OTEL_{signal}_EXPORTER"
    if _is_set(environment, variable):
        exporter = environment[variable].strip()
        if exporter not in _EXPORTERS:
            raise InputError(f"{variable}: got {exporter!r}, want {_join_choices(_EXPORTERS)}")
        return exporter
    is_on = has_endpoint or _is_set(environment, f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return "otlp" if is_on else "none"


def _check_protocol(environment: Mapping[str, str], signal: str) -> None:
    for variable in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if _is_set(environment, variable):
            if environment[variable] != _PROTOCOL:
                raise InputError(f"{variable}: got {environment[variable]!r}, want {_PROTOCOL}")
            return


def _is_set(environment: Mapping[str, str], variable: str) -> bool:
    """Return whether a variable is set; by the specification an empty one is not."""
    return bool(environment.get(variable, "").strip())


def _join_choices(values: tuple[str, ...]) -> str:
    return f"{', '.join(values[:-1])} or {values[-1]}"


def _resource() -> Resource:
    """Describe this server; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {"service.name": "posewire", "service.version": version("posewire")}
    return Resource.create(ours).merge(OTELResourceDetector().detect())
