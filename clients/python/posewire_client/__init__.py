"""Client of a posewire server: poses of people in images and in streams of frames.

    from posewire_client import Client

    with Client("localhost:50051") as client:
        result = client.estimate("people.jpg")
        print(result.keypoints)  # (N, K, 2), pixels

AsyncClient has the same calls as coroutines. `posewire_client.errors` lists what they raise.
"""

from typing import TYPE_CHECKING

from posewire_client.async_client import AsyncClient
from posewire_client.client import Client
from posewire_client.errors import (
    AbortedError,
    AlreadyExistsError,
    CallCancelledError,
    ClientClosedError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    MissingPackageError,
    NoDisplayError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    PosewireError,
    ProtocolError,
    ResourceExhaustedError,
    SourceCancelledError,
    StatusError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    UnknownStatusError,
    UnsuitableImageError,
)
from posewire_client.image import EncodedImage, ImageInput
from posewire_client.model import InputSize, Model, Precision
from posewire_client.options import Delivery, EstimateOptions, SmoothingOptions
from posewire_client.pose import Box, Keypoint, Origin, Pose
from posewire_client.push_stream import PushStream
from posewire_client.request import FrameInput, TimedImage
from posewire_client.result import FrameFailure, Outcome, Result, Skipped, SkipReason, StageTimes
from posewire_client.skeleton import Skeleton
from posewire_client.tls import Tls
from posewire_client.waiting import OnWait, Waiting

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AsyncClient",
    "Box",
    "CallCancelledError",
    "Client",
    "ClientClosedError",
    "DataLossError",
    "DeadlineExceededError",
    "Delivery",
    "EncodedImage",
    "EstimateOptions",
    "FailedPreconditionError",
    "FieldViolation",
    "FrameFailure",
    "FrameInput",
    "ImageInput",
    "InputSize",
    "InternalError",
    "InvalidArgumentError",
    "Keypoint",
    "MissingPackageError",
    "Model",
    "NoDisplayError",
    "NotFoundError",
    "OnWait",
    "Origin",
    "OutOfRangeError",
    "Outcome",
    "PermissionDeniedError",
    "Pose",
    "PosewireError",
    "Precision",
    "ProtocolError",
    "PushStream",
    "ResourceExhaustedError",
    "Result",
    "Skeleton",
    "SkipReason",
    "Skipped",
    "SmoothingOptions",
    "SourceCancelledError",
    "StageTimes",
    "StatusError",
    "TimedImage",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownStatusError",
    "UnsuitableImageError",
    "Waiting",
]

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    """Look up `__version__`, which is rarely needed and slow to find."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("posewire")
