"""The messages and the service of ORCA, the open protocol of load reports (gRPC's proposal A51).

The package xds-protos has them too, but also 1800 other files, some of which replace those of
googleapis-common-protos and opentelemetry-proto. These here are in a descriptor pool of their own,
so that it does no harm if a program imports that package as well.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import duration_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MessageOptions,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_REPORT = "xds.data.orca.v3"
_SERVICE = "xds.service.orca.v3"
_DOUBLE = FieldDescriptorProto.TYPE_DOUBLE
_STRING = FieldDescriptorProto.TYPE_STRING
_MESSAGE = FieldDescriptorProto.TYPE_MESSAGE
_REPEATED = FieldDescriptorProto.LABEL_REPEATED


def _field(
    name: str, number: int, kind: FieldDescriptorProto.Type.ValueType, **others: Any
) -> FieldDescriptorProto:
    others.setdefault("label", FieldDescriptorProto.LABEL_OPTIONAL)
    return FieldDescriptorProto(name=name, number=number, type=kind, **others)


def _report_file() -> FileDescriptorProto:
    """Describe the report, with those of its fields that a server of this kind can measure."""
    entry = DescriptorProto(
        name="NamedMetricsEntry",
        field=[_field("key", 1, _STRING), _field("value", 2, _DOUBLE)],
        options=MessageOptions(map_entry=True),
    )
    report = DescriptorProto(
        name="OrcaLoadReport",
        field=[
            _field("rps_fractional", 6, _DOUBLE),
            _field(
                "named_metrics",
                8,
                _MESSAGE,
                type_name=f".{_REPORT}.OrcaLoadReport.NamedMetricsEntry",
                label=_REPEATED,
            ),
            _field("application_utilization", 9, _DOUBLE),
        ],
        nested_type=[entry],
    )
    return FileDescriptorProto(
        name="xds/data/orca/v3/orca_load_report.proto",
        package=_REPORT,
        syntax="proto3",
        message_type=[report],
    )


def _service_file() -> FileDescriptorProto:
    request = DescriptorProto(
        name="OrcaLoadReportRequest",
        field=[
            _field("report_interval", 1, _MESSAGE, type_name=".google.protobuf.Duration"),
            _field("request_cost_names", 2, _STRING, label=_REPEATED),
        ],
    )
    file = FileDescriptorProto(
        name="xds/service/orca/v3/orca.proto",
        package=_SERVICE,
        syntax="proto3",
        dependency=["google/protobuf/duration.proto", "xds/data/orca/v3/orca_load_report.proto"],
        message_type=[request],
    )
    service = file.service.add(name="OpenRcaService")
    service.method.add(
        name="StreamCoreMetrics",
        input_type=f".{_SERVICE}.OrcaLoadReportRequest",
        output_type=f".{_REPORT}.OrcaLoadReport",
        server_streaming=True,
    )
    return file


_POOL: Any = DescriptorPool()
_POOL.AddSerializedFile(duration_pb2.DESCRIPTOR.serialized_pb)
_POOL.Add(_report_file())
_POOL.Add(_service_file())

DESCRIPTOR: Any = _POOL.FindFileByName("xds/service/orca/v3/orca.proto")
SERVICE: Any = DESCRIPTOR.services_by_name["OpenRcaService"]
OrcaLoadReport: Any = GetMessageClass(_POOL.FindMessageTypeByName(f"{_REPORT}.OrcaLoadReport"))
OrcaLoadReportRequest: Any = GetMessageClass(
    SERVICE.methods_by_name["StreamCoreMetrics"].input_type
)
