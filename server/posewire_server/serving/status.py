"""What an error looks like on the wire: google.rpc.Status with its details."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from traceback import clear_frames

from google.protobuf import duration_pb2
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from posewire_server.errors import InvalidArgumentError, RequestError
from posewire_server.serving.errors import BusyError

_LOG = logging.getLogger(__name__)

_DOMAIN = "posewire"


def as_it_is(path: str) -> str:
    return path


def status_of(error: BaseException, *, path_of: Callable[[str], str] = as_it_is) -> Status:
    """The status that a call ends with, or that a FrameError holds.

    `path_of` gives the path of a field in this request for its path in `EstimatePosesRequest`. An
    error that is neither the client's nor foreseen is a defect of the server: it is logged here,
    and the client learns nothing of it.
    """
    if isinstance(error, InvalidArgumentError):
        faults = {path_of(each.field): str(each) for each in error.violations}
        message = "; ".join(f"{path}: {fault}" for path, fault in faults.items())
        info = _error_info(error.reason, error.metadata)
        return _status(error.code, message, info, _bad_request(faults))
    if isinstance(error, BusyError):
        info = _error_info(error.reason, error.metadata)
        return _status(error.code, str(error), info, _retry_info(error.retry_secs))
    if isinstance(error, RequestError):
        return _status(error.code, str(error), _error_info(error.reason, error.metadata))
    _LOG.error("A defect, answered as INTERNAL", exc_info=error)
    return _status("INTERNAL", "a defect in the server; its log has it", _error_info("INTERNAL"))


def forget_locals(error: BaseException) -> None:
    """Frees what the functions hold that the error came through, such as the image.

    An error and the futures that carried it know each other, so that they would keep the image
    until the garbage collector comes by, which counts objects and not their megabytes.
    """
    cause: BaseException | None = error
    while cause is not None:
        clear_frames(cause.__traceback__)
        cause = cause.__context__


def _status(code: str, message: str, *details: Message) -> Status:
    status = Status(code=Code.Value(code), message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _error_info(reason: str, metadata: Mapping[str, str] | None = None) -> ErrorInfo:
    return ErrorInfo(reason=reason, domain=_DOMAIN, metadata=metadata)


def _retry_info(secs: float) -> RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(round(1000 * secs))
    return RetryInfo(retry_delay=delay)


def _bad_request(faults: dict[str, str]) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=field, description=fault)
            for field, fault in faults.items()
        ]
    )
