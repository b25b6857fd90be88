"""Convert a status with its details to an exception."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from posewire_client import errors
from posewire_client.errors import FieldViolation, StatusError, UnknownStatusError

DOMAIN = "posewire"

Detail = TypeVar("Detail", bound=Message)

_CLASSES: dict[str, type[StatusError]] = {
    each.code: each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, StatusError)
}


def error_from_status(status: Status) -> StatusError:
    """Convert a status other than OK. Details that cannot be parsed are ignored."""
    info = _detail(status, ErrorInfo)
    bad_request = _detail(status, BadRequest)
    retry = _detail(status, RetryInfo)
    return error_class(status.code)(
        status.message or "no message",
        reason=info.reason if info else None,
        metadata=dict(info.metadata) if info else {},
        violations=_violations(bad_request) if bad_request else (),
        retry_after_secs=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
        from_server=info is not None and info.domain == DOMAIN,
    )


def error_class(code: int) -> type[StatusError]:
    """Return the exception class of a value of google.rpc.Code."""
    if code not in Code.values():
        return UnknownStatusError
    return _CLASSES.get(Code.Name(code), UnknownStatusError)


def _detail(status: Status, kind: type[Detail]) -> Detail | None:
    for packed in status.details:
        detail = kind()
        try:
            if packed.Unpack(detail):
                return detail
        except DecodeError:
            continue
    return None


def _violations(bad_request: BadRequest) -> tuple[FieldViolation, ...]:
    return tuple(
        FieldViolation(each.field, each.description) for each in bad_request.field_violations
    )
