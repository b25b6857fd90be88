"""The methods of PoseService, health, reflection and load reports as gRPC handlers.

The generated registration does not fit for four reasons. It receives a unary request before the
handler runs, which then cannot reject it to save memory. It discards the size of a message. It
reports bytes that are not a message as an error of the server. And it serializes responses in the
event loop, where results of images are bytes already.
"""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from posewire.v1 import pose_service_pb2 as messages
from posewire_server.serving.health import HealthService
from posewire_server.serving.load_reports import LoadReportService
from posewire_server.serving.messages import orca
from posewire_server.serving.messages.received import deserializer
from posewire_server.serving.observation.call import methods_of
from posewire_server.serving.reflection import ReflectionService
from posewire_server.serving.service import PoseService

HEALTH_METHODS = methods_of(health_pb2.DESCRIPTOR.services_by_name["Health"])
LOAD_REPORT_METHODS = methods_of(orca.SERVICE)


def pose_handlers(service: PoseService) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Map the methods of the contract to those of `service`."""
    return {
        # Unary calls are streams of one message, so that the handler decides when to receive it:
        # that of an attacker may be large in any of them.
        "ListModels": grpc.stream_unary_rpc_method_handler(
            service.ListModels,
            deserializer(messages.ListModelsRequest),
            messages.ListModelsResponse.SerializeToString,
        ),
        "GetModel": grpc.stream_unary_rpc_method_handler(
            service.GetModel,
            deserializer(messages.GetModelRequest),
            messages.GetModelResponse.SerializeToString,
        ),
        "EstimatePoses": grpc.stream_unary_rpc_method_handler(
            service.EstimatePoses,
            deserializer(messages.EstimatePosesRequest),
        ),
        "StreamPoses": grpc.stream_stream_rpc_method_handler(
            service.StreamPoses,
            deserializer(messages.StreamPosesRequest),
        ),
    }


def health_handlers(service: HealthService) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Map the methods of grpc.health.v1 to those of `service`."""
    receive = deserializer(health_pb2.HealthCheckRequest)
    send = health_pb2.HealthCheckResponse.SerializeToString
    return {
        "Check": grpc.stream_unary_rpc_method_handler(service.Check, receive, send),
        "Watch": grpc.stream_stream_rpc_method_handler(service.Watch, receive, send),
    }


def reflection_handlers(service: ReflectionService) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Map the method of grpc.reflection, of either version, to that of `service`."""
    return {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            service.ServerReflectionInfo,
            deserializer(reflection_pb2.ServerReflectionRequest),
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
    }


def load_report_handlers(service: LoadReportService) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Map the method of xds.service.orca.v3 to that of `service`."""
    return {
        "StreamCoreMetrics": grpc.stream_stream_rpc_method_handler(
            service.StreamCoreMetrics,
            deserializer(orca.OrcaLoadReportRequest),
            orca.OrcaLoadReport.SerializeToString,
        )
    }
