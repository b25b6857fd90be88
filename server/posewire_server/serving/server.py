"""A listening server: PoseService, health, reflection and load reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from grpc_health.v1.health import SERVICE_NAME as HEALTH

from posewire_server.serving import load_reports, reflection
from posewire_server.serving.access.authentication import Access
from posewire_server.serving.access.tokens import Token, read_tokens
from posewire_server.serving.access.usage import Usage
from posewire_server.serving.errors import ListenError, TokensError
from posewire_server.serving.frames.model_reload import ConfirmModels, ModelReload, ReadModels
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.handlers import (
    HEALTH_METHODS,
    LOAD_REPORT_METHODS,
    health_handlers,
    load_report_handlers,
    pose_handlers,
    reflection_handlers,
)
from posewire_server.serving.health import HealthService
from posewire_server.serving.messages import orca
from posewire_server.serving.messages.live_calls import LiveCalls
from posewire_server.serving.observation.call import Method
from posewire_server.serving.observation.observed_handlers import observe
from posewire_server.serving.observation.observers import Observation, ObserveOptions
from posewire_server.serving.reloads import Reloads
from posewire_server.serving.scheduling.load import ServiceLoad
from posewire_server.serving.scheduling.stall_watch import StallWatch
from posewire_server.serving.service import METHODS, SERVICE, PoseService, ServiceLimits
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.transport.connections import ConnectionLimits
from posewire_server.serving.transport.grpc_server import transport_server
from posewire_server.serving.transport.listening import (
    check_is_free,
    is_of_this_machine,
    listen_address,
)
from posewire_server.serving.transport.tls import Certificates, TlsFiles

if TYPE_CHECKING:
    from posewire_server.serving.observation.observed_handlers import Handler

_LOG = logging.getLogger(__name__)

# Calls in progress, in total and of one connection: limits the cost of calls that send nothing.
_MAX_CALLS = 1024
_MAX_CALLS_PER_CONNECTION = 128
# What a call may send before the server begins to receive the message: enough for 134 frames of
# 116 KB a second over a round trip of 50 ms.
_LOOKAHEAD_BYTES = 1 << 20
# How long a draining server rejects new calls with a reason before it closes its listener.
_REJECT_SECS = 0.5
# Time to send the statuses of calls that the end of the grace period has ended.
_STOP_GRACE_SECS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """`address` is HOST:PORT, [IPV6]:PORT or unix:PATH; port 0 is any free port.

    `tls`: None for connections that are not encrypted. `tokens`: the file of those that callers
    need, None if they need none; over connections that are neither encrypted nor of this machine
    only with `insecure_tokens`. `resume_key`: the key of resume tokens, or its file; None for a
    random one. `reload_drains`: whether streams of a model that is replaced drain; otherwise they
    keep it. `lame_duck_secs`: how long a draining server still accepts calls while it reports
    NOT_SERVING. `load_reports`: whether load balancers can ask for the load. `load_trailers`:
    whether the trailing metadata of each call reports it. `observe`: what is shown of calls and
    frames. `processes`: how many share the address, which then has a port other than 0.
    """

    address: str = "127.0.0.1:50051"
    tls: TlsFiles | None = None
    tokens: Path | None = None
    insecure_tokens: bool = False
    resume_key: Path | ResumeKey | None = None
    reload_drains: bool = False
    lame_duck_secs: float = 0.0
    limits: ServiceLimits = field(default_factory=ServiceLimits)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    reflection: bool = False
    load_reports: bool = False
    load_trailers: bool = False
    observe: ObserveOptions = field(default_factory=ObserveOptions)
    processes: int = 1


class Server:
    """Listens from `start` on and serves from `open` on.

    `read_models`: reads the models again on `reloads.request`. `confirm_models`: whether they may
    take over, by default they do. `health`: replaces the service that reports the health of this
    server alone. `usage`: what callers use of their quotas, in other processes as well. Raises
    `ListenError` for options without an address, `TlsError` for unusable certificates,
    `TokensError` for an unusable tokens file, and `ResumeKeyError` for an unusable key.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        read_models: ReadModels | None = None,
        confirm_models: ConfirmModels | None = None,
        health: HealthService | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._options = options
        self.reloads = Reloads()
        self._certificates = self._load_certificates()
        self._address = listen_address(options.address)
        limits = options.limits
        self._access = Access(
            self._load_tokens(),
            streams=limits.streams,
            streams_per_peer=limits.streams_per_peer,
            usage=usage,
        )
        self._observation = Observation(SERVICE, options.observe)
        self._live_calls = LiveCalls()
        self._service = PoseService(
            limits,
            access=self._access,
            live_calls=self._live_calls,
            observers=self._observation.observers,
            resume_key=_read_key(options.resume_key),
            reports_load=options.load_trailers,
        )
        self._observation.show_load(lambda: self._service.load)
        self._health = health or HealthService(SERVICE)
        self._stalls = StallWatch(
            lambda: self._service.load,
            timeout_secs=limits.stall_secs,
            on_change=lambda is_stalled: self._health.set_serving(not is_stalled),
        )
        self._load_reports = self._make_load_reports()
        self._reflection = self._make_reflection()
        self._server = transport_server(
            options=[
                *_channel_options(limits, shares_port=options.processes > 1),
                *options.connections.options(stream_secs=limits.life.longest_secs),
            ],
            max_calls=_MAX_CALLS,
            on_unknown_method=self._observation.reject_unknown_method,
        )
        self._model_reload = self._reload_models(read_models, confirm_models)
        self._is_open = False
        self.port = 0

    async def start(self) -> None:
        """Listen without serving yet. Raises `ListenError` if that is not possible."""
        self._add_services()
        address = self._address
        if self._options.processes == 1:
            address = await check_is_free(address)
        await self._observation.start()
        try:
            self.port = self._add_port(str(address))
        except RuntimeError as error:
            await self._observation.stop()
            raise ListenError(
                f"address {self._options.address}: cannot listen there, want HOST:PORT of this "
                "machine that no other program listens on"
            ) from error
        await self._server.start()
        self.reloads.start()
        _LOG.info("listening at %s", self.address)

    def _add_services(self) -> None:
        handlers = pose_handlers(self._service)
        self._observation.show_methods(METHODS[name] for name in handlers)
        self._server.add_registered_method_handlers(SERVICE, handlers)
        self._add_observed(HEALTH, health_handlers(self._health), HEALTH_METHODS)
        if self._reflection is not None:
            handlers = reflection_handlers(self._reflection)
            for name in reflection.NAMES:
                self._add_observed(name, handlers, reflection.methods(name))
        if self._load_reports is not None:
            handlers = load_report_handlers(self._load_reports)
            self._add_observed(load_reports.SERVICE, handlers, LOAD_REPORT_METHODS)

    def _add_observed(
        self, service: str, handlers: Mapping[str, Handler], methods: Mapping[str, Method]
    ) -> None:
        self._observation.show_methods(methods[name] for name in handlers)
        self._server.add_registered_method_handlers(
            service, observe(handlers, methods, self._observation.observers, self._live_calls)
        )

    @property
    def address(self) -> str:
        """The listening address, with the port that the system chose."""
        if self._address.path:
            return self._options.address
        return str(replace(self._address, port=self.port))

    @property
    def metrics_address(self) -> str | None:
        """The address of the metrics, with the port that the system chose; None without any."""
        return self._observation.metrics_address

    @property
    def load(self) -> ServiceLoad:
        return self._service.load

    def write_metrics(self) -> bytes:
        """Return the present metrics as text of Prometheus; empty if none are kept."""
        return self._observation.write_metrics()

    @property
    def is_busy(self) -> bool:
        """Whether images are in progress; `stop` does not interrupt them."""
        return self._service.is_busy

    async def open(self, models: Sequence[ServedModel]) -> None:
        """Serve these models, already warmed up; the first is the default."""
        self._replace_models(models)
        if self._model_reload is not None:
            self._model_reload.open(models)
        self._health.set_serving(True)
        self._stalls.start()
        self._is_open = True

    async def drain(self) -> None:
        """Reject new calls and finish those in progress, within the grace period.

        This begins after the lame-duck period, in which load balancers that check health turn to
        other servers. After another half second the server also closes its listener and its idle
        connections, so that clients connect elsewhere.
        """
        self._stalls.stop()
        self._health.drain()
        if self._is_open and self._options.lame_duck_secs:
            _LOG.info("not serving, accepting calls for %g s", self._options.lame_duck_secs)
            await asyncio.sleep(self._options.lame_duck_secs)
        drain_secs = self._options.limits.life.drain_secs
        _LOG.info("draining for at most %g s", drain_secs)
        ends_at = monotonic() + drain_secs
        self._service.drain()
        if self._reflection is not None:
            self._reflection.close()
        if self._load_reports is not None:
            self._load_reports.close()
        idle = asyncio.create_task(self._service.wait_until_idle())
        await asyncio.wait([idle], timeout=min(_REJECT_SECS, ends_at - monotonic()))
        idle.cancel()
        self._health.close()
        await self._server.stop(ends_at + _STOP_GRACE_SECS - monotonic())

    async def stop(self) -> None:
        """End every call."""
        self.reloads.stop()
        self._stalls.stop()
        await self._server.stop(_STOP_GRACE_SECS)
        self._service.close()
        await self._observation.stop()

    def _replace_models(self, models: Sequence[ServedModel]) -> None:
        self._service.replace(models, drain_streams=self._options.reload_drains)
        self._observation.show_models(model.name for model in models)

    def _make_load_reports(self) -> load_reports.LoadReportService | None:
        if not self._options.load_reports:
            return None
        tls = self._options.tls
        return load_reports.LoadReportService(
            lambda: self._service.load,
            self._access,
            is_mutual=tls is not None and tls.client_ca is not None,
        )

    def _make_reflection(self) -> reflection.ReflectionService | None:
        if not self._options.reflection:
            return None
        others = () if self._load_reports is None else (orca.DESCRIPTOR,)
        return reflection.ReflectionService(self._access, others=others)

    def _reload_models(
        self, read: ReadModels | None, confirm: ConfirmModels | None
    ) -> ModelReload | None:
        if read is None:
            return None
        reload = ModelReload(
            read,
            take_over=self._replace_models,
            request=self.reloads.request,
            confirm=confirm or (lambda _: True),
        )
        self.reloads.add("models", (), reload.reload)
        return reload

    def _load_certificates(self) -> Certificates | None:
        if (files := self._options.tls) is None:
            return None
        certificates = Certificates(files)
        self.reloads.add("TLS certificate", files.paths, certificates.reload)
        return certificates

    def _load_tokens(self) -> Sequence[Token] | None:
        if (path := self._options.tokens) is None:
            return None
        is_private = self._options.tls is not None or is_of_this_machine(self._address)
        if not (is_private or self._options.insecure_tokens):
            raise TokensError(
                f"tokens {path}: callers would send them unencrypted to {self._address}; want TLS "
                "(--tls-cert), an address of this machine, or --insecure-tokens behind a proxy"
            )
        tokens = read_tokens(path)
        loop = asyncio.get_running_loop()

        def reload() -> None:
            loop.call_soon_threadsafe(self._service.replace_tokens, read_tokens(path))

        self.reloads.add("tokens file", [path], reload)
        return tokens

    def _add_port(self, address: str) -> int:
        if self._certificates is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, self._certificates.credentials())


@asynccontextmanager
async def running_server(
    *models: ServedModel, options: ServerOptions | None = None
) -> AsyncIterator[Server]:
    """Serve these models until the block ends, by default on a port that the system chooses."""
    server = Server(options or ServerOptions(address="127.0.0.1:0"))
    await server.start()
    try:
        await server.open(models)
        yield server
    finally:
        await server.stop()


def _read_key(key: Path | ResumeKey | None) -> ResumeKey | None:
    return ResumeKey.read(key) if isinstance(key, Path) else key


def _channel_options(limits: ServiceLimits, *, shares_port: bool) -> list[tuple[str, int]]:
    return [
        # Otherwise a second server could start on the same port and take some of the connections.
        ("grpc.so_reuseport", int(shares_port)),
        # A little above the limit on images, so that images beyond that get an error of their own.
        ("grpc.max_receive_message_length", limits.image.max_bytes + (1 << 16)),
        ("grpc.max_concurrent_streams", _MAX_CALLS_PER_CONNECTION),
        # gRPC would let a fast client send whole images that no handler has asked for.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _LOOKAHEAD_BYTES),
        # Detects dead clients.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # So that clients and proxies notice a host that hangs within seconds. Connections that ping
        # more often are closed.
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
