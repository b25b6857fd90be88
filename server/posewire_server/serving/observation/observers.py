"""The metrics, logs and traces of a server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import generate_latest

from posewire_server.serving.errors import ListenError
from posewire_server.serving.observation.call import Method, Observer
from posewire_server.serving.observation.call_log import CallLog
from posewire_server.serving.observation.metrics import Metrics
from posewire_server.serving.observation.metrics_endpoint import MetricsEndpoint
from posewire_server.serving.observation.telemetry import telemetry_from_environment
from posewire_server.serving.scheduling.load import ServiceLoad

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveOptions:
    """The metrics and traces of a server.

    `metrics_address`: HOST:PORT, [IPV6]:PORT or unix:PATH of the Prometheus endpoint, or None.
    `needs_metrics`: whether a server that cannot listen there fails to start, or only warns.
    `keeps_metrics`: whether to keep metrics without an endpoint, for `Observation.write_metrics`.
    `telemetry`: whether to export traces and metrics as the variables OTEL_* configure.
    """

    metrics_address: str | None = None
    needs_metrics: bool = True
    keeps_metrics: bool = False
    telemetry: bool = False


async def start_endpoint(endpoint: MetricsEndpoint, *, is_needed: bool) -> bool:
    """Return whether it listens. Raises `ListenError` if it is needed and cannot listen."""
    try:
        await endpoint.start()
    except ListenError as error:
        if is_needed:
            raise
        _LOG.warning("no metrics: %s", error)
        return False
    _LOG.info("metrics at http://%s/metrics", endpoint.address)
    return True


class Observation:
    """The observers of a server's calls, and the endpoint that serves its metrics."""

    def __init__(self, service: str, options: ObserveOptions) -> None:
        self._options = options
        self._metrics: Metrics | None = None
        self._endpoint: MetricsEndpoint | None = None
        observers: list[Observer] = [CallLog(service)]
        if options.metrics_address is not None or options.keeps_metrics:
            self._metrics = Metrics()
            observers.append(self._metrics)
        self._telemetry = telemetry_from_environment() if options.telemetry else None
        if self._telemetry is not None:
            observers += self._telemetry.observers
        self.observers = tuple(observers)

    @property
    def metrics_address(self) -> str | None:
        return None if self._endpoint is None else self._endpoint.address

    async def start(self) -> None:
        """Serve metrics. Raises `ListenError` if they are needed and the address cannot be used."""
        address = self._options.metrics_address
        if self._metrics is None or address is None:
            return
        endpoint = MetricsEndpoint(self._metrics.registry, address)
        if await start_endpoint(endpoint, is_needed=self._options.needs_metrics):
            self._endpoint = endpoint

    def write_metrics(self) -> bytes:
        """Return the present metrics as text of Prometheus; empty if none are kept."""
        return b"" if self._metrics is None else generate_latest(self._metrics.registry)

    async def stop(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.stop()
        if self._telemetry is not None:
            await self._telemetry.stop()

    def show_methods(self, methods: Iterable[Method]) -> None:
        """Show these methods from the start."""
        if self._metrics is not None:
            self._metrics.show_methods(methods)

    def show_models(self, names: Iterable[str]) -> None:
        """Show these models from the start."""
        if self._metrics is not None:
            self._metrics.show_models(names)

    def show_load(self, load: Callable[[], ServiceLoad]) -> None:
        """Show what this function returns as the present load."""
        if self._metrics is not None:
            self._metrics.show_load(load)

    def reject_unknown_method(self) -> None:
        """Count a call of a method that the server does not have."""
        if self._metrics is not None:
            self._metrics.reject_unknown_method()
