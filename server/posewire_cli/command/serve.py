"""`posewire serve`: serve models over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from posewire_cli.command.configuration import write_configuration
from posewire_cli.command.configured_models import ConfiguredModels, ReadOptions
from posewire_cli.command.demo_warning import warn_about_serving_demo
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.observe_options import ObservationOptions
from posewire_cli.command.option_types import Count, Patience, Seconds, check_listen_address
from posewire_cli.command.security_options import SecurityOptions
from posewire_cli.log_format import show_calls
from posewire_cli.logs import are_logs_shown
from posewire_cli.worker_setup import WorkerSetup
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.streams.session import SessionLife
from posewire_server.serving.transport.connections import ConnectionLimits
from posewire_server.serving.transport.native_messages import limit_native_messages
from posewire_server.serving.workers.supervisor import serve_processes


@Parameter(name="*", group=Group("Server", sort_key=1))
@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions:
    model: Annotated[tuple[str, ...], Parameter(required=True)] = ()
    """Model name (fetched on first use), or .xml or .onnx file; repeatable, first is default."""

    address: Annotated[str, Parameter(validator=check_listen_address)] = "127.0.0.1:50051"
    """Address HOST:PORT, [IPV6]:PORT or unix:PATH to listen on; port 0 picks a free port."""

    processes: Count = 1
    """Server processes that divide processors, queue, connections and held bytes; Linux only."""

    reflection: bool = False
    """Enable gRPC server reflection, for tools such as grpcurl."""

    load_reports: Literal["none", "stream", "trailers", "all"] = "none"
    """Report the load to load balancers (ORCA): in a stream, or in the trailers of each call."""

    grace: Seconds = 20.0
    """Grace period for calls in progress at shutdown or --max-stream-age, in seconds."""

    lame_duck: Patience = 0.0
    """Time after the first signal to report NOT_SERVING and still accept calls, in seconds."""

    stall_timeout: Patience = 30.0
    """Seconds after which a running inference makes health NOT_SERVING; 0 for no limit."""

    reload_drains: bool = False
    """Drain the streams of a model that SIGHUP replaces (default: they keep it until they end)."""

    config: Path | None = None
    """TOML file of options, each by its name without --; also POSEWIRE_SERVE_NAME=VALUE."""

    print_config: bool = False
    """Print all options as a TOML file, without serving."""


@Parameter(name="*", group=Group("Limits", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    queue: Count = 64
    """Unary calls of one host or named caller queued per model."""

    max_streams: Count = 64
    """Concurrent streams."""

    max_streams_per_peer: Count | None = None
    """Streams of one host without a token (default: 3/4 of all, no limit for this machine)."""

    max_stream_age: Seconds | None = None
    """Age in seconds, give or take 20%, at which streams drain (default: no limit)."""

    max_connections: Count | None = None
    """Open connections (default: 3/4 of the limit on open files, at most 4096)."""

    max_connection_age: Seconds | None = None
    """Age in seconds, give or take 10%, after which new calls reconnect (default: no limit)."""

    idle_timeout: Seconds = 300.0
    """Time without a frame after which streams drain, in seconds."""

    max_image_bytes: Count = 32 << 20
    """Image size as sent, in bytes."""

    max_image_pixels: Count = 1 << 25
    """Image width times height, in pixels."""

    max_held_bytes: Count = 512 << 20
    """Images received and not yet answered, in bytes; each client may always hold one."""


def serve_models(
    *,
    listen: ListenOptions = ListenOptions(),
    limits: LimitOptions = LimitOptions(),
    security: SecurityOptions = SecurityOptions(),
    observation: ObservationOptions = ObservationOptions(),
    network: NetworkOptions = NetworkOptions(),
    read_options: Annotated[ReadOptions, Parameter(parse=False)],
) -> None:
    groups: dict[str, Any] = {
        "listen": listen,
        "limits": limits,
        "security": security,
        "observation": observation,
        "network": network,
    }
    if listen.print_config:
        print(*write_configuration(*groups.values()), sep="\n")
        return
    options = ServerOptions(
        address=listen.address,
        tls=security.tls_files(),
        tokens=security.tokens,
        insecure_tokens=security.insecure_tokens,
        resume_key=security.resume_key_file,
        connections=ConnectionLimits(
            count=limits.max_connections, max_age_secs=limits.max_connection_age
        ),
        limits=_service_limits(listen, limits),
        reflection=listen.reflection,
        load_reports=listen.load_reports in ("stream", "all"),
        load_trailers=listen.load_reports in ("trailers", "all"),
        reload_drains=listen.reload_drains,
        lame_duck_secs=listen.lame_duck,
        observe=observation.to_server(),
    )
    if observation.log_format is not None:
        show_calls(observation.log_format)
    models = ConfiguredModels(groups, read_options, processes=listen.processes)
    if listen.processes > 1:
        serve_processes(
            listen.processes,
            models.load,
            options,
            ready=partial(_print_shared_address, listen.model),
            read_models=models.read,
            renew=models.renew,
            prepare=WorkerSetup(observation.log_format, is_verbose=are_logs_shown()),
        )
        return
    limit_native_messages()
    serve(models.load, options, ready=_print_address, read_models=models.read)


def _print_address(address: str) -> None:
    print(f"posewire serves at {address}", flush=True)


def _print_shared_address(models: Sequence[str], address: str) -> None:
    warn_about_serving_demo(models)
    _print_address(address)


def _service_limits(listen: ListenOptions, limits: LimitOptions) -> ServiceLimits:
    return ServiceLimits(
        image=ImageLimits(max_bytes=limits.max_image_bytes, max_pixels=limits.max_image_pixels),
        waiting=limits.queue,
        streams=limits.max_streams,
        streams_per_peer=limits.max_streams_per_peer,
        held_bytes=limits.max_held_bytes,
        stall_secs=listen.stall_timeout or None,
        life=SessionLife(
            idle_secs=limits.idle_timeout,
            max_age_secs=limits.max_stream_age,
            drain_secs=listen.grace,
        ),
    )
