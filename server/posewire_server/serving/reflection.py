"""Server reflection, as grpc.reflection.v1 and v1alpha.

grpcio-reflection has v1alpha only. Both versions have the same messages on the wire.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

from posewire.v1 import pose_service_pb2

_V1 = "grpc.reflection.v1"
_V1ALPHA = "grpc.reflection.v1alpha"
_SERVED: tuple[Any, ...] = (
    pose_service_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
    reflection_pb2.DESCRIPTOR,
)

NAMES = tuple(f"{package}.ServerReflection" for package in (_V1, _V1ALPHA))


def handlers() -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Return the methods of each of `NAMES`, which describe all services.

    grpcio-reflection's own registration reports bytes that are not a message as an error of the
    server, with a traceback in the log.
    """
    pool = _descriptor_pool()
    services = [
        service.full_name
        for file in (*_SERVED, pool.FindFileByName(_path(_V1)))
        for service in file.services_by_name.values()
    ]
    return {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            aio.ReflectionServicer(services, pool=pool).ServerReflectionInfo,
            _parse,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
    }


def _parse(data: bytes) -> reflection_pb2.ServerReflectionRequest:
    """Parse a request; the servicer answers an empty one with INVALID_ARGUMENT."""
    try:
        return reflection_pb2.ServerReflectionRequest.FromString(data)
    except DecodeError:
        return reflection_pb2.ServerReflectionRequest()


def _descriptor_pool() -> Any:
    """Describe what is served, with v1 beside v1alpha, in a pool of its own.

    In the default pool, v1 would collide with that of another package.
    """
    pool: Any = DescriptorPool()
    files: dict[str, Any] = {}
    for file in _SERVED:
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
