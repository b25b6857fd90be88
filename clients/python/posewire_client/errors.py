"""What can go wrong between a client and its server.

    PosewireError(Exception)
    ├── UnsuitableImageError(ValueError)   an image that cannot be sent
    ├── ClientClosedError(RuntimeError)    a call on a client that was closed
    ├── ProtocolError                      the server's answers break the contract
    └── StatusError                        a call or a frame ended with a status, by its code:
        ├── CallCancelledError             CANCELLED
        ├── UnknownStatusError             UNKNOWN, and codes that this client does not know
        ├── InvalidArgumentError           INVALID_ARGUMENT: mend the fields in `violations`
        ├── DeadlineExceededError(TimeoutError)   DEADLINE_EXCEEDED
        ├── NotFoundError                  NOT_FOUND: no such model on the server
        ├── AlreadyExistsError             ALREADY_EXISTS
        ├── PermissionDeniedError          PERMISSION_DENIED
        ├── ResourceExhaustedError         RESOURCE_EXHAUSTED: busy, or a message too large
        ├── FailedPreconditionError        FAILED_PRECONDITION
        ├── AbortedError                   ABORTED
        ├── OutOfRangeError                OUT_OF_RANGE
        ├── UnimplementedError             UNIMPLEMENTED: not a posewire server, or an older one
        ├── InternalError                  INTERNAL: a defect in the server, or a reset stream
        ├── UnavailableError               UNAVAILABLE: not ready, shutting down or not there
        ├── DataLossError                  DATA_LOSS
        └── UnauthenticatedError           UNAUTHENTICATED

Decide by class and `reason`; the message is for people. A file that cannot be read raises the
OSError of the file system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request that breaks a rule, by its path, such as "options.max_poses"."""

    field: str
    description: str


class PosewireError(Exception):
    """Everything that this package raises of its own accord."""


class UnsuitableImageError(PosewireError, ValueError):
    """An image that cannot be sent: of the wrong type, number format or shape, or empty."""


class ClientClosedError(PosewireError, RuntimeError):
    """A call on a client that was closed."""


class ProtocolError(PosewireError):
    """Answers that break the contract posewire.v1, so that frames and outcomes do not match."""


class StatusError(PosewireError):
    """A status other than OK, with what the server says about it.

    `reason` and `metadata` come from the status's ErrorInfo; `from_server` is whether that is
    posewire's own, and not from a proxy or a gRPC library in between. `retry_after_secs` is how
    long a busy server asks to wait.
    """

    code: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] = MappingProxyType({}),
        violations: tuple[FieldViolation, ...] = (),
        retry_after_secs: float | None = None,
        from_server: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = metadata
        self.violations = violations
        self.retry_after_secs = retry_after_secs
        self.from_server = from_server

    def __str__(self) -> str:
        kind = self.code if self.reason in (None, self.code) else f"{self.code} ({self.reason})"
        return f"{kind}: {self.message}"


class CallCancelledError(StatusError):
    """The call was cancelled."""

    code = "CANCELLED"


class UnknownStatusError(StatusError):
    """No more is known, or the code is newer than this client."""

    code = "UNKNOWN"


class InvalidArgumentError(StatusError):
    """The request or the frame breaks a rule of the contract; sent again, it would again."""

    code = "INVALID_ARGUMENT"


class DeadlineExceededError(StatusError, TimeoutError):
    """The answer did not come in time."""

    code = "DEADLINE_EXCEEDED"


class NotFoundError(StatusError):
    """The server runs no model of that name."""

    code = "NOT_FOUND"


class AlreadyExistsError(StatusError):
    """No posewire server says this; something on the way may."""

    code = "ALREADY_EXISTS"


class PermissionDeniedError(StatusError):
    """Something on the way does not let this client through."""

    code = "PERMISSION_DENIED"


class ResourceExhaustedError(StatusError):
    """The server is busy (then `retry_after_secs` is set), or the message is far too large."""

    code = "RESOURCE_EXHAUSTED"


class FailedPreconditionError(StatusError):
    """The order of a stream was broken."""

    code = "FAILED_PRECONDITION"


class AbortedError(StatusError):
    """No posewire server says this; something on the way may."""

    code = "ABORTED"


class OutOfRangeError(StatusError):
    """No posewire server says this; something on the way may."""

    code = "OUT_OF_RANGE"


class UnimplementedError(StatusError):
    """The server does not have this call."""

    code = "UNIMPLEMENTED"


class InternalError(StatusError):
    """A defect in the server, or, where `from_server` is false, a stream that was reset."""

    code = "INTERNAL"


class UnavailableError(StatusError):
    """The server is not ready, shuts down or cannot be reached."""

    code = "UNAVAILABLE"


class DataLossError(StatusError):
    """No posewire server says this; something on the way may."""

    code = "DATA_LOSS"


class UnauthenticatedError(StatusError):
    """Something on the way wants credentials that this client did not give."""

    code = "UNAUTHENTICATED"
