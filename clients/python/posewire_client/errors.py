"""The exceptions of the client.

    PosewireError(Exception)
    ├── UnsuitableImageError(ValueError)   an image or a video that cannot be sent
    ├── MissingPackageError(ImportError)   an optional package is not installed
    ├── NoDisplayError(RuntimeError)       no display to show an image on
    ├── ClientClosedError(RuntimeError)    the client is closed, or was closed during the call
    ├── SourceCancelledError               the source of a stream's frames was cancelled
    ├── ProtocolError                      responses that break the contract
    └── StatusError                        a status other than OK; one class per code:
        ├── CallCancelledError             CANCELLED
        ├── UnknownStatusError             UNKNOWN, and codes unknown to this client
        ├── InvalidArgumentError           INVALID_ARGUMENT: see `violations` for the fields
        ├── DeadlineExceededError(TimeoutError)   DEADLINE_EXCEEDED
        ├── NotFoundError                  NOT_FOUND: no such model on the server
        ├── AlreadyExistsError             ALREADY_EXISTS
        ├── PermissionDeniedError          PERMISSION_DENIED
        ├── ResourceExhaustedError         RESOURCE_EXHAUSTED: busy, over quota, or message size
        ├── FailedPreconditionError        FAILED_PRECONDITION
        ├── AbortedError                   ABORTED
        ├── OutOfRangeError                OUT_OF_RANGE
        ├── UnimplementedError             UNIMPLEMENTED: not a posewire server, or an older one
        ├── InternalError                  INTERNAL: a bug in the server, or a reset stream
        ├── UnavailableError               UNAVAILABLE: not ready, shutting down or unreachable
        ├── DataLossError                  DATA_LOSS
        └── UnauthenticatedError           UNAUTHENTICATED

Handle errors by class and `reason`; messages are for people and may change. A file that cannot be
read raises OSError.
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
    """Base class of all exceptions that this package defines."""


class UnsuitableImageError(PosewireError, ValueError):
    """An image or a video that cannot be sent: empty, unreadable or of the wrong type or shape."""


class MissingPackageError(PosewireError, ImportError):
    """A method needs a package that is not installed."""


class NoDisplayError(PosewireError, RuntimeError):
    """There is no display to show an image on."""


class ClientClosedError(PosewireError, RuntimeError):
    """The client, or the channel that it uses, is closed or was closed during the call."""


class SourceCancelledError(PosewireError):
    """The asynchronous source of a stream's frames raised asyncio.CancelledError.

    In the task that consumes the stream, CancelledError would mean that this task was cancelled.
    """


class ProtocolError(PosewireError):
    """The server broke the contract posewire.v1, so outcomes cannot be matched to frames."""


class StatusError(PosewireError):
    """A status other than OK, of a call or of one frame.

    `reason` and `metadata` come from the ErrorInfo of the status. `from_server` says whether the
    posewire server sent that, rather than a proxy or a gRPC library. `retry_after_secs` is the
    delay that a busy server asks for.
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
    """The call was cancelled by a server that was stopping, or by a proxy."""

    code = "CANCELLED"


class UnknownStatusError(StatusError):
    """An unknown error, or a code that is newer than this client."""

    code = "UNKNOWN"


class InvalidArgumentError(StatusError):
    """The request or the frame breaks a rule of the contract. Do not retry."""

    code = "INVALID_ARGUMENT"


class DeadlineExceededError(StatusError, TimeoutError):
    """The response did not arrive in time."""

    code = "DEADLINE_EXCEEDED"


class NotFoundError(StatusError):
    """The server runs no model of that name."""

    code = "NOT_FOUND"


class AlreadyExistsError(StatusError):
    """Not sent by posewire servers; a proxy may send it."""

    code = "ALREADY_EXISTS"


class PermissionDeniedError(StatusError):
    """Access denied. Not sent by posewire servers; a proxy may send it."""

    code = "PERMISSION_DENIED"


class ResourceExhaustedError(StatusError):
    """The server is busy (`retry_after_secs` is set), or the message is far too large."""

    code = "RESOURCE_EXHAUSTED"


class FailedPreconditionError(StatusError):
    """The messages of a stream were out of order."""

    code = "FAILED_PRECONDITION"


class AbortedError(StatusError):
    """Not sent by posewire servers; a proxy may send it."""

    code = "ABORTED"


class OutOfRangeError(StatusError):
    """Not sent by posewire servers; a proxy may send it."""

    code = "OUT_OF_RANGE"


class UnimplementedError(StatusError):
    """The server does not implement this call."""

    code = "UNIMPLEMENTED"


class InternalError(StatusError):
    """A bug in the server or, if `from_server` is false, a reset stream."""

    code = "INTERNAL"


class UnavailableError(StatusError):
    """The server is not ready, is shutting down or cannot be reached."""

    code = "UNAVAILABLE"


class DataLossError(StatusError):
    """Not sent by posewire servers; a proxy may send it."""

    code = "DATA_LOSS"


class UnauthenticatedError(StatusError):
    """The server requires a token, and the call has none or one that it does not know."""

    code = "UNAUTHENTICATED"
