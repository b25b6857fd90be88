"""The channel to a server, and the only file that knows gRPC by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from posewire.v1 import pose_service_pb2_grpc
from posewire_client.errors import StatusError
from posewire_client.status import error_from_status
from posewire_client.tls import Tls

ChannelOptions: TypeAlias = "Sequence[tuple[str, int | str]]"

END_OF_STREAM = grpc.aio.EOF

# What calls raise, whichever way they wait.
CallError: type[Exception] = grpc.RpcError

_DEFAULT_OPTIONS: ChannelOptions = (
    # Requests carry images; the server says how large they may be.
    ("grpc.max_send_message_length", -1),
    # Some 40 000 people, at 0.4 kB each.
    ("grpc.max_receive_message_length", 16 << 20),
    # gRPC sends a call again by itself when the server never saw it, as when it was closing the
    # connection, but only up to this size. The default of 256 KiB leaves out most images.
    ("grpc.per_rpc_retry_buffer_size", 32 << 20),
    # A dead peer is noticed within a minute and a half. Servers cut off who asks more often.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # By default the channel waits up to two minutes before it connects again, and meanwhile fails
    # every call at once. These are the waits of the contract.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 10_000),
)


class Channel(Protocol):
    """A channel that a caller has made: grpc's own for Client, grpc.aio's for AsyncClient."""

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any: ...
    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any: ...


def blocking_channel(target: str, tls: Tls | None, options: ChannelOptions) -> Any:
    """A channel whose calls block."""
    every_option = _merged(options)
    if tls is None:
        return grpc.insecure_channel(target, options=every_option)
    return grpc.secure_channel(target, _credentials(tls), options=every_option)


def async_channel(target: str, tls: Tls | None, options: ChannelOptions) -> Any:
    """A channel for the event loop that runs."""
    every_option = _merged(options)
    if tls is None:
        return grpc.aio.insecure_channel(target, options=every_option)
    return grpc.aio.secure_channel(target, _credentials(tls), options=every_option)


def stub_on(channel: Channel) -> Any:
    """The calls of PoseService."""
    return pose_service_pb2_grpc.PoseServiceStub(channel)  # type: ignore[no-untyped-call]


def error_from_call(error: Any) -> StatusError:
    """What a CallError says, with the details that the server sent along."""
    for key, value in _trailers(error):
        if key == "grpc-status-details-bin":
            try:
                return error_from_status(Status.FromString(value))
            except DecodeError:
                break
    number, _ = error.code().value
    return error_from_status(Status(code=number, message=error.details() or ""))


def _trailers(error: Any) -> Iterable[tuple[str, Any]]:
    return error.trailing_metadata() or ()


def _credentials(tls: Tls) -> Any:
    return grpc.ssl_channel_credentials(
        root_certificates=tls.root_certificates,
        private_key=tls.private_key,
        certificate_chain=tls.certificate_chain,
    )


def _merged(options: ChannelOptions) -> list[tuple[str, int | str]]:
    return list({**dict(_DEFAULT_OPTIONS), **dict(options)}.items())
