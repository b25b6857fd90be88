"""Errors of serving.

InputError
├── ListenError           an address on which the server cannot listen
├── TlsError              a certificate or key that the server cannot use
├── TokensError           a tokens file that the server cannot use
├── ResumeKeyError        a key of resume tokens that the server cannot use
└── WorkerError           one of several processes that cannot start
RequestError
├── ModelNotFoundError    NOT_FOUND: a model that this server does not run
├── MalformedMessageError INVALID_ARGUMENT: bytes that are not a message of the contract
├── StreamOrderError      FAILED_PRECONDITION: messages of a stream out of order
├── BusyError             RESOURCE_EXHAUSTED: a full queue or an exceeded limit
├── DeadlineMissedError   DEADLINE_EXCEEDED: no answer before the deadline
├── DeadlineTooShortError DEADLINE_EXCEEDED: no turn before the deadline
├── UnauthenticatedError  UNAUTHENTICATED: no token, or an unknown one
├── PermissionDeniedError PERMISSION_DENIED: a caller may not do this
├── UnavailableError      UNAVAILABLE: warming up, or draining
└── InternalError         INTERNAL: a bug in the server
"""

from __future__ import annotations

from collections.abc import Mapping

from posewire_server.errors import InputError, RequestError

# How many characters of a client's text an error repeats: details are sent in trailers, which are
# limited to 8 KB.
_QUOTED = 200
# RetryInfo delay: the shortest and the longest delay before another attempt in the contract.
_RETRY_SECS = 0.2
_MAX_RETRY_SECS = 10.0


class ListenError(InputError):
    """An address on which the server cannot listen."""


class TlsError(InputError):
    """A certificate or key that the server cannot use."""


class TokensError(InputError):
    """A tokens file that the server cannot use, or not over this connection."""


class ResumeKeyError(InputError):
    """A key of resume tokens that the server cannot use."""


class WorkerError(InputError):
    """One of several server processes cannot start."""


class ModelNotFoundError(RequestError):
    """A model that this server does not run."""

    code = "NOT_FOUND"

    def __init__(self, name: str, *, served: tuple[str, ...]) -> None:
        name = name[:_QUOTED]
        message = f"model: got {name!r}, want one of those served here: {', '.join(served)}"
        super().__init__(message, reason="MODEL_NOT_FOUND", metadata={"model": name})


class MalformedMessageError(RequestError):
    """Bytes that are not a message of the contract, or no message at all."""

    code = "INVALID_ARGUMENT"

    def __init__(self, got: str) -> None:
        super().__init__(
            f"request: got {got}, want a message of posewire.v1; generate the client from the "
            "contract",
            reason="MESSAGE_MALFORMED",
        )


class StreamOrderError(RequestError):
    """Messages of a stream out of order."""

    code = "FAILED_PRECONDITION"


class BusyError(RequestError):
    """A full queue or an exceeded limit; retry after `retry_secs`."""

    code = "RESOURCE_EXHAUSTED"

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        retry_secs: float = _RETRY_SECS,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.retry_secs = retry_secs


class DeadlineMissedError(RequestError):
    """No answer before the deadline, or no request in time."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="DEADLINE_MISSED")


class DeadlineTooShortError(RequestError):
    """An image that waits for longer than its deadline allows."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self, *, wait_secs: float, remaining_secs: float) -> None:
        super().__init__(
            f"deadline: got {remaining_secs:.3g} s, want more than the {wait_secs:.3g} s that the "
            "caller's images ahead of this one take at least; allow more time or send fewer",
            reason="DEADLINE_TOO_SHORT",
            metadata={"min_wait_secs": f"{wait_secs:.3g}"},
        )


def queue_full(wait_secs: float) -> BusyError:
    """Describe a full queue that takes this time to process."""
    retry_secs = min(max(wait_secs, _RETRY_SECS), _MAX_RETRY_SECS)
    return BusyError(
        f"no room for another image; retry in {retry_secs:.3g} s",
        reason="QUEUE_FULL",
        retry_secs=retry_secs,
    )


class UnauthenticatedError(RequestError):
    """A call without a token, or with an unknown one."""

    code = "UNAUTHENTICATED"


class PermissionDeniedError(RequestError):
    """A call that its caller may not make."""

    code = "PERMISSION_DENIED"


class UnavailableError(RequestError):
    """A server that is warming up or draining."""

    code = "UNAVAILABLE"


class InternalError(RequestError):
    """A bug in the server; the details are only in its log."""

    code = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("internal error; see the server's log", reason="INTERNAL")
