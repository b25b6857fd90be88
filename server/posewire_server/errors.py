"""What can be wrong with what the server is given; for models see models/errors.py.

    InputError(ValueError)
    ├── ImageError               a file that holds no image
    ├── ListenError              an address at which the server cannot listen
    ├── OwnServerError           a server for this process alone that did not start
    ├── TargetError              a server that does not answer as it should
    ├── SourceError              no images or frames where some should be
    ├── OutputError              a file that cannot be written
    ├── RequestError             INVALID_ARGUMENT: found while a frame is being made
    │   ├── InvalidImageError    an image that is missing, damaged, too large or at odds with itself
    │   └── InvalidRegionError   a region of interest that holds no pixel of the image
    └── EvaluationError          nothing that could be evaluated
        ├── DatasetError         annotations or images that are not what COCO's would be
        └── JournalError         answers of an earlier run that this one cannot go on with

    CallError(Exception)     what a call, or a frame of a stream, is answered with instead of poses
    ├── InvalidFieldsError   INVALID_ARGUMENT: fields whose values cannot be
    ├── ModelNotFoundError   NOT_FOUND: a model that is not served here
    ├── StreamOrderError     FAILED_PRECONDITION: messages of a stream that are out of order
    ├── BusyError            RESOURCE_EXHAUSTED: no room at present
    ├── DeadlineMissedError  DEADLINE_EXCEEDED: the deadline came first
    └── UnavailableError     UNAVAILABLE: warming up, or draining

Each message names the file or the field, what was found and what was wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

InvalidArgumentReason = Literal[
    "IMAGE_INVALID", "IMAGE_UNDECODABLE", "IMAGE_TOO_LARGE", "FIELD_INVALID"
]

# Of a client's text in an error: details travel in trailers, which have room for 8 KB.
_SHOWN = 200


class InputError(ValueError):
    """Something given that cannot be used."""


class ImageError(InputError):
    """A file that holds no image."""


class ListenError(InputError):
    """An address at which the server cannot listen."""


class OwnServerError(InputError):
    """A server for this process alone that did not start."""


class TargetError(InputError):
    """A server that does not answer as it should."""


class SourceError(InputError):
    """No images or frames where some should be."""


class OutputError(InputError):
    """A file that cannot be written."""


class RequestError(InputError):
    """A value in a request that the contract forbids.

    `field` is its path in `EstimatePosesRequest`, such as "image.raw.width". `reason` is what
    google.rpc.ErrorInfo calls so, and `metadata` holds what varies in the message.
    """

    def __init__(
        self,
        field: str,
        reason: InvalidArgumentReason,
        *,
        got: str,
        want: str,
        limit: dict[str, int] | None = None,
    ) -> None:
        super().__init__(f"{field}: got {got}, want {want}")
        self.field = field
        self.reason: InvalidArgumentReason = reason
        limits = {name: str(value) for name, value in (limit or {}).items()}
        self.metadata = {"got": got, "want": want, **limits}


class InvalidImageError(RequestError):
    """An image that is missing, damaged, too large or at odds with itself."""


class InvalidRegionError(RequestError):
    """A region of interest that holds no pixel of the image."""


class EvaluationError(InputError):
    """An evaluation that cannot be made."""


class DatasetError(EvaluationError):
    """Annotations that are not COCO's for keypoints, or images that are not there."""


class JournalError(EvaluationError):
    """Answers of an earlier run that are damaged, or of a run that was another one."""


class CallError(Exception):
    """What a request is answered with; the contract lists codes, reasons and metadata.

    `code` is the name of the status code in gRPC.
    """

    code: ClassVar[str]

    def __init__(
        self, message: str, *, reason: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.metadata = dict(metadata or {})


class InvalidFieldsError(CallError):
    """`faults`: what is wrong with each field, by its path in the request."""

    code = "INVALID_ARGUMENT"

    def __init__(self, faults: Mapping[str, str]) -> None:
        message = "; ".join(f"{field}: {fault}" for field, fault in faults.items())
        super().__init__(message, reason="FIELD_INVALID")
        self.faults = dict(faults)


class ModelNotFoundError(CallError):
    """A model that the server does not run."""

    code = "NOT_FOUND"

    def __init__(self, name: str, *, served: tuple[str, ...]) -> None:
        name = name[:_SHOWN]
        message = f"model: got {name!r}, want one of those served here: {', '.join(served)}"
        super().__init__(message, reason="MODEL_NOT_FOUND", metadata={"model": name})


class StreamOrderError(CallError):
    """Messages of a stream that do not follow each other as the contract has it."""

    code = "FAILED_PRECONDITION"


class BusyError(CallError):
    """No room at present; `retry_secs` says how long to wait."""

    code = "RESOURCE_EXHAUSTED"

    def __init__(self, message: str, *, reason: str, retry_secs: float) -> None:
        super().__init__(message, reason=reason)
        self.retry_secs = retry_secs


class DeadlineMissedError(CallError):
    """The deadline came before the answer."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="DEADLINE_MISSED")


class UnavailableError(CallError):
    """A server that is not ready yet, or no longer."""

    code = "UNAVAILABLE"
