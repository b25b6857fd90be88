"""Server reflection, as grpc.reflection.v1 and v1alpha.

grpcio-reflection has v1alpha only. Both versions have the same messages on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc.error_details_pb2 import DESCRIPTOR as DETAILS
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2
from posewire_server.errors import RequestError
from posewire_server.serving.access.authentication import Access
from posewire_server.serving.errors import UnavailableError
from posewire_server.serving.messages.received import Received, Receiver
from posewire_server.serving.messages.reception import Reception
from posewire_server.serving.messages.status import status_of
from posewire_server.serving.observation.call import Method, methods_of

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

Request = reflection_pb2.ServerReflectionRequest
Response = reflection_pb2.ServerReflectionResponse

_V1 = "grpc.reflection.v1"
_V1ALPHA = "grpc.reflection.v1alpha"
_SERVED: tuple[Any, ...] = (
    pose_service_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
    reflection_pb2.DESCRIPTOR,
)

NAMES = tuple(f"{package}.ServerReflection" for package in (_V1, _V1ALPHA))

# A request is a name. One of an attacker is as large as an image: see `Reception`.
_MAX_REQUEST_BYTES = 1 << 16
_MAX_RECEIVING = 8
_RECEIVE_SECS = 10.0
_RECEIVE_PATIENCE_SECS = 1.0
# Calls whose client does not read never end, and each is one of those that the server allows.
_MAX_CALLS = 64


def methods(name: str) -> dict[str, Method]:
    """Return the methods of the service of this name."""
    return methods_of(reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"], name=name)


class ReflectionService:
    """Describes all services, under each of `NAMES`, to callers with access.

    It wraps the servicer of grpcio-reflection, which sets no limits. `others`: the descriptors of
    files with further services.
    """

    def __init__(self, access: Access, *, others: Sequence[Any] = ()) -> None:
        self._access = access
        served = (*_SERVED, *others)
        pool = _descriptor_pool(served)
        services = [
            service.full_name
            for file in (*served, pool.FindFileByName(_path(_V1)))
            for service in file.services_by_name.values()
        ]
        self._servicer = aio.ReflectionServicer(services, pool=_WithMethods(pool))
        self._reception = Reception(
            _MAX_RECEIVING,
            calls_per_host=_MAX_CALLS,
            patience_secs=_RECEIVE_PATIENCE_SECS,
        )
        self._calls = 0
        self._is_closed = False

    def close(self) -> None:
        """End all calls, and reject new ones."""
        self._is_closed = True
        self._reception.end(_shutting_down())

    async def ServerReflectionInfo(
        self, _: AsyncIterator[Received[Request]], context: Context
    ) -> AsyncIterator[Response]:
        try:
            self._access.identify(context.invocation_metadata() or (), context.peer())
        except RequestError as error:
            await context.abort_with_status(rpc_status.to_status(status_of(error)))
        if self._calls == _MAX_CALLS:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"all {_MAX_CALLS} reflection calls are in use"
            )
        self._calls += 1
        requests: Any = self._receive_all(context)
        answers: Any = self._servicer.ServerReflectionInfo(requests, context)
        try:
            async for response in answers:
                yield response
        except RequestError as error:
            await context.abort(grpc.StatusCode[error.code], str(error))
        finally:
            self._calls -= 1

    async def _receive_all(self, context: Context) -> AsyncIterator[Request]:
        """Yield the requests of a call, and an empty one for bytes that are not a message.

        The servicer answers that with INVALID_ARGUMENT.
        """
        requests: Receiver[Request] = Receiver(context)
        peer = context.peer()
        while not self._is_closed:
            receiving = self._reception.receive(requests, peer, within_secs=_RECEIVE_SECS)
            if (received := await receiving) is None:
                return
            if received.size > _MAX_REQUEST_BYTES:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"request: got {received.size} bytes, want at most {_MAX_REQUEST_BYTES}",
                )
            yield received.parsed or Request()
        raise _shutting_down()


class _WithMethods:
    """A descriptor pool that also finds methods, by which tools such as ghz ask for a file."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file


def _shutting_down() -> UnavailableError:
    return UnavailableError("the server is shutting down", reason="DRAINING")


def _descriptor_pool(served: Sequence[Any]) -> Any:
    """Describe what is served, with v1 beside v1alpha, in a pool of its own.

    In the default pool, v1 would collide with that of another package.
    """
    pool: Any = DescriptorPool()
    files: dict[str, Any] = {}
    # Tools show the details of an error if they can ask for their types.
    for file in (*served, DETAILS):
        _collect(file, files)
    for file in files.values():
        pool.AddSerializedFile(file.serialized_pb)
    pool.Add(_v1_file())
    return pool


def _collect(file: Any, files: dict[str, Any]) -> None:
    """Collect a file after its dependencies."""
    for dependency in file.dependencies:
        _collect(dependency, files)
    files.setdefault(file.name, file)


def _v1_file() -> FileDescriptorProto:
    file = FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    file.name, file.package = _path(_V1), _V1
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = _as_v1(field.type_name)
    for service in file.service:
        for method in service.method:
            method.input_type = _as_v1(method.input_type)
            method.output_type = _as_v1(method.output_type)
    return file


def _as_v1(name: str) -> str:
    return name.replace(f".{_V1ALPHA}.", f".{_V1}.")


def _path(package: str) -> str:
    return f"{package.replace('.', '/')}/reflection.proto"
