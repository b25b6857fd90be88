"""Errors on the wire: google.rpc.Status with its details."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from google.protobuf import duration_pb2
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from posewire_server.errors import InvalidArgumentError, RequestError
from posewire_server.serving.errors import BusyError, InternalError

_LOG = logging.getLogger(__name__)

_DOMAIN = "posewire"


def as_request_error(error: Exception, *, request_id: str = "") -> RequestError:
    """Convert an error: log an unexpected one, and clear the traceback of any other.

    `request_id`: of the call, for the log.

    A traceback keeps local variables, such as the image, until the garbage collector runs. The
    collector counts objects, not bytes, so that can take long.
    """
    if not isinstance(error, RequestError):
        _LOG.error(
            "Unexpected error, answered as INTERNAL; request %s",
            request_id or "unknown",
            exc_info=error,
            extra={"fields": {"request_id": request_id}},
        )
        return InternalError()
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def unchanged(field: str) -> str:
    return field


def status_of(error: RequestError, *, locate: Callable[[str], str] = unchanged) -> Status:
    """Describe an error as the status of a call or of a FrameError.

    `locate` maps the path of a field in a unary call to its path in the actual request.
    """
    info = _error_info(error.reason, error.metadata)
    if isinstance(error, InvalidArgumentError):
        faults = {locate(each.field): str(each) for each in error.violations}
        message = "; ".join(f"{path}: {fault}" for path, fault in faults.items())
        return _status(error.code, message, info, _bad_request(faults))
    if isinstance(error, BusyError):
        return _status(error.code, str(error), info, _retry_info(error.retry_secs))
    return _status(error.code, str(error), info)


def _status(code: str, message: str, *details: Message) -> Status:
    status = Status(code=Code.Value(code), message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _error_info(reason: str, metadata: Mapping[str, str]) -> ErrorInfo:
    return ErrorInfo(reason=reason, domain=_DOMAIN, metadata=metadata)


def _retry_info(secs: float) -> RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(round(1000 * secs))
    return RetryInfo(retry_delay=delay)


def _bad_request(faults: Mapping[str, str]) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=field, description=fault)
            for field, fault in faults.items()
        ]
    )
