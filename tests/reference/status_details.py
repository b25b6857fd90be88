"""Details of the status of a call."""

from __future__ import annotations

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status


def details(error: grpc.RpcError) -> tuple[ErrorInfo, BadRequest, RetryInfo]:
    """Return the details of an error; those that are absent are empty."""
    assert isinstance(error, grpc.Call)
    status = rpc_status.from_call(error)
    assert status is not None
    found = (ErrorInfo(), BadRequest(), RetryInfo())
    for detail in status.details:
        assert sum(detail.Unpack(each) for each in found) == 1
    return found
