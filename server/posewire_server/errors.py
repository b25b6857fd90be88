"""Errors that the rooms of the server share; each room has its own in its `errors.py`.

    InputError(ValueError)        unusable input to the program: an option, a file, a server
    RequestError(Exception)       the error of a call, or of a frame of a stream
    └── InvalidArgumentError      INVALID_ARGUMENT: fields with values that the contract forbids

Each message names the file or the field, what it got and what it wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

InvalidArgumentReason = Literal[
    "IMAGE_INVALID", "IMAGE_UNDECODABLE", "IMAGE_TOO_LARGE", "FIELD_INVALID"
]


class InputError(ValueError):
    """Unusable input to the program: an option, a file, a server."""


class RequestError(Exception):
    """The error of a request; the contract lists codes, reasons and metadata.

    `code` is gRPC's name of the status code, `reason` and `metadata` are google.rpc.ErrorInfo's.
    """

    code: ClassVar[str]

    def __init__(
        self, message: str, *, reason: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.metadata = dict(metadata or {})


class Violation(NamedTuple):
    """A field with a value that the contract forbids.

    `field` is its path in the request, such as "image.raw.width". Paths are those of a unary call;
    `posewire_server.serving.streams.session` knows where a stream has the same fields.
    """

    field: str
    got: str
    want: str

    def __str__(self) -> str:
        return f"got {self.got}, want {self.want}"


class InvalidArgumentError(RequestError):
    """One or more fields with values that the contract forbids.

    `limits` are the limits that the request exceeds, by name.
    """

    code = "INVALID_ARGUMENT"

    def __init__(
        self,
        *violations: Violation,
        reason: InvalidArgumentReason = "FIELD_INVALID",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        metadata = {name: str(value) for name, value in (limits or {}).items()}
        if len(violations) == 1:
            metadata |= {"got": violations[0].got, "want": violations[0].want}
        super().__init__(
            "; ".join(f"{each.field}: {each}" for each in violations),
            reason=reason,
            metadata=metadata,
        )
        self.violations = violations
