"""gRPC channels, stubs and call errors. The only file of the client that imports grpc."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from posewire.v1 import pose_service_pb2, pose_service_pb2_grpc
from posewire_client.errors import ClientClosedError, StatusError
from posewire_client.status import error_from_status
from posewire_client.tls import Tls

Request = TypeVar("Request")
Response = TypeVar("Response")

BlockingChannel: TypeAlias = grpc.Channel
BlockingStub: TypeAlias = pose_service_pb2_grpc.PoseServiceStub
BlockingMethod: TypeAlias = "grpc.UnaryUnaryMultiCallable[Request, Response]"

AsyncChannel: TypeAlias = grpc.aio.Channel
AsyncStub: TypeAlias = "pose_service_pb2_grpc.PoseServiceAsyncStub"
AsyncMethod: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[Request, Response]"
AsyncCall: TypeAlias = "grpc.aio.UnaryUnaryCall[Request, Response]"
AsyncStreamCall: TypeAlias = (
    "grpc.aio.StreamStreamCall["
    "pose_service_pb2.StreamPosesRequest, pose_service_pb2.StreamPosesResponse]"
)

ChannelOptions: TypeAlias = "Sequence[tuple[str, int | str]]"

CallError: TypeAlias = grpc.RpcError  # raised by blocking and by asynchronous calls

_DEFAULT_OPTIONS: ChannelOptions = (
    # Requests carry images. The server announces its own limit.
    ("grpc.max_send_message_length", -1),
    # Enough for 40 000 people at 0.4 kB each.
    ("grpc.max_receive_message_length", 16 << 20),
    # gRPC retries a call that the server never saw, for example because the connection was closing,
    # but only up to this request size. The default of 256 KiB excludes most images.
    ("grpc.per_rpc_retry_buffer_size", 32 << 20),
    # Notice a frozen server or a cut cable 10 to 21 seconds later. The timeout leaves time for the
    # image that is ahead of a ping on a slow link. gRPC sends pings of its own too, to measure the
    # bandwidth, and no keepalive ping during such a one, which has a timeout of a minute.
    ("grpc.keepalive_time_ms", 11_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # Go on while a stream is idle. By default gRPC stops after two pings.
    ("grpc.http2.max_pings_without_data", 0),
    # The backoff of the contract. By default a channel waits up to two minutes before it reconnects
    # and fails every call until then.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 10_000),
)


class BlockingStreamCall(Protocol):
    """A StreamPoses call in progress, as a blocking stub returns it."""

    def __iter__(self) -> Iterator[pose_service_pb2.StreamPosesResponse]: ...
    def cancel(self) -> object: ...


def blocking_channel(target: str, tls: Tls | None, options: ChannelOptions) -> BlockingChannel:
    """Create a channel for blocking calls."""
    merged = _with_defaults(options)
    if tls is None:
        return grpc.insecure_channel(target, options=merged)
    return grpc.secure_channel(target, _credentials(tls), options=merged)


def async_channel(target: str, tls: Tls | None, options: ChannelOptions) -> AsyncChannel:
    """Create a channel that belongs to the running event loop."""
    merged = _with_defaults(options)
    if tls is None:
        return grpc.aio.insecure_channel(target, options=merged)
    return grpc.aio.secure_channel(target, _credentials(tls), options=merged)


def blocking_stub(channel: BlockingChannel) -> BlockingStub:
    """Create the stub of PoseService for blocking calls."""
    return pose_service_pb2_grpc.PoseServiceStub(channel)


def async_stub(channel: AsyncChannel) -> AsyncStub:
    """Create the stub of PoseService for asynchronous calls."""
    return pose_service_pb2_grpc.PoseServiceStub(channel)


@contextmanager
def translate_closed_channel() -> Generator[None, None, None]:
    """Raise ClientClosedError where gRPC refuses to begin a call on a closed channel."""
    try:
        yield
    except (ValueError, grpc.aio.UsageError) as error:
        raise ClientClosedError("the channel is closed") from error


async def response_of(call: AsyncCall[Request, Response]) -> Response:
    """Await the call; raises asyncio.CancelledError only if the task is cancelled.

    `await call` alone raises that also if the channel is closed.
    """
    try:
        code = await call.code()
    except asyncio.CancelledError:
        call.cancel()
        raise
    try:
        return await call
    except asyncio.CancelledError as error:
        if code is not grpc.StatusCode.CANCELLED:
            raise
        raise ClientClosedError("the client or its channel was closed during the call") from error


def error_from_call(error: CallError) -> StatusError:
    """Convert a gRPC error, with the details in its trailers."""
    # The stubs do not describe these as pairs.
    trailers: Iterable[Any] = error.trailing_metadata() or ()
    for key, value in trailers:
        if key == "grpc-status-details-bin":
            try:
                return error_from_status(Status.FromString(value))
            except DecodeError:
                break
    code, _ = error.code().value
    return error_from_status(Status(code=code, message=error.details() or ""))


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=tls.root_certificates,
        private_key=tls.private_key,
        certificate_chain=tls.certificate_chain,
    )


def _with_defaults(options: ChannelOptions) -> list[tuple[str, int | str]]:
    return list({**dict(_DEFAULT_OPTIONS), **dict(options)}.items())
