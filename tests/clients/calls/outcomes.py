"""What the Python clients' programs send and print, in the form that all languages have."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from posewire.v1 import model_pb2, pose_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesResponse
from posewire_client import (
    Box,
    ClientClosedError,
    Delivery,
    EncodedImage,
    EstimateOptions,
    FrameFailure,
    ImageInput,
    Model,
    Outcome,
    Pose,
    ProtocolError,
    Result,
    SkipReason,
    SmoothingOptions,
    StatusError,
    Tls,
    UnsuitableImageError,
)
from tests.clients.calls.table import Call

CLOSED = {"closed": True}
_CHANNELS = {"BGR8": 3, "RGB8": 3, "GRAY8": 1, "BGRA8": 4, "RGBA8": 4}


def print_line(document: Mapping[str, Any]) -> None:
    """Print one line for the test."""
    print(json.dumps(document), flush=True)


def ask(what: str) -> None:
    """Ask the test to do something, and wait until it is done."""
    print_line({"ask": what})
    if not sys.stdin.readline():
        raise EOFError(f"the test has ended before {what}")


def client_options(call: Call, folder: Path) -> dict[str, Any]:
    """Return arguments of the client's constructor, except for its target or channel."""
    options: dict[str, Any] = {
        "timeout_secs": call.timeout_secs,
        "retry_for_secs": call.retry_for_secs,
    }
    if call.tls is not None and not call.token:
        files = _tls_files(call.tls, folder)
        options["tls"] = Tls(
            root_certificates=files.get("roots"),
            private_key=files.get("key"),
            certificate_chain=files.get("certificate"),
        )
    return options


def token_credentials(call: Call, folder: Path) -> grpc.ChannelCredentials:
    """Return credentials for a channel of the caller's own, which sends the token."""
    assert call.tls is not None
    files = _tls_files(call.tls, folder)
    return grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(files["roots"]),
        grpc.access_token_call_credentials(call.token),
    )


def _tls_files(names: Mapping[str, str], folder: Path) -> dict[str, bytes]:
    return {key: (folder / name).read_bytes() for key, name in names.items()}


def image_options(call: Call, spec: Any) -> dict[str, Any]:
    """Return arguments of `estimate` and `stream` except for the images; raises ValueError."""
    rgb = isinstance(spec, dict) and spec.get("format") in ("RGB8", "RGBA8")
    return {
        "model": call.model,
        "options": EstimateOptions(**call.options) if call.options else None,
        "color": "rgb" if rgb else "bgr",
    }


def stream_options(call: Call) -> dict[str, Any]:
    """Return arguments of `stream` except for the frames; raises ValueError."""
    smoothing = call.smoothing_options
    return {
        **image_options(call, call.frames[0]),
        "delivery": Delivery(call.delivery),
        "window": call.window,
        "max_frame_age_secs": call.max_frame_age_secs,
        "track": call.track,
        "smoothing": call.smoothing,
        "smoothing_options": smoothing and SmoothingOptions(**smoothing),
    }


def image_input(spec: Any, folder: Path) -> ImageInput:
    """Return the image that the table describes."""
    if isinstance(spec, str):
        return folder / spec
    if "file" in spec:
        return EncodedImage(folder / spec["file"], apply_orientation=not spec["as_stored"])
    return _array(spec, (folder / spec["raw"]).read_bytes())


def _array(spec: Mapping[str, Any], data: bytes) -> NDArray[np.uint8]:
    channels = _CHANNELS[spec["format"]]
    row_bytes = spec["width"] * channels
    rows = np.frombuffer(data, np.uint8).reshape(spec["height"], -1)
    return np.lib.stride_tricks.as_strided(
        rows,
        (spec["height"], spec["width"], channels),
        (spec.get("row_stride_bytes", row_bytes), channels, 1),
        writeable=False,
    )


def result_document(result: Result) -> dict[str, Any]:
    """Return the result as the message that it came in, without times."""
    message = EstimatePosesResponse(
        poses=map(_pose, result.poses),
        model=result.model,
        model_version=result.model_version,
        image_width=result.image_width,
        image_height=result.image_height,
    )
    return {"result": message.SerializeToString().hex()}


def model_document(model: Model) -> str:
    """Return the model as the message that it came in."""
    options, skeleton = model.default_options, model.skeleton
    message = model_pb2.Model(
        name=model.name,
        version=model.version,
        precision=f"PRECISION_{model.precision.name}",
        input_sizes=[
            model_pb2.InputSize(width=size.width, height=size.height) for size in model.input_sizes
        ],
        skeleton=model_pb2.Skeleton(
            keypoints=[
                model_pb2.KeypointDefinition(name=name, oks_sigma=sigma)
                for name, sigma in zip(skeleton.keypoint_names, skeleton.oks_sigmas, strict=True)
            ],
            edges=[
                model_pb2.SkeletonEdge(first_keypoint=a, second_keypoint=b)
                for a, b in skeleton.edges
            ],
            flip_pairs=[
                model_pb2.FlipPair(left_keypoint=a, right_keypoint=b)
                for a, b in skeleton.flip_pairs
            ],
        ),
    )
    for name in ("max_poses", "min_pose_score", "min_keypoint_score", "refine", "flip_test"):
        if (value := getattr(options, name)) is not None:
            setattr(message.default_options, name, value)
    return message.SerializeToString().hex()


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome of one frame."""
    document: dict[str, Any] = {
        "frame": outcome.frame_id,
        "before": outcome.frames_skipped_before,
    }
    if isinstance(outcome, Result):
        return document | result_document(outcome)
    if isinstance(outcome, FrameFailure):
        return document | {"error": error_document(outcome.error)}
    is_known = outcome.reason is not SkipReason.UNKNOWN
    return document | {"skipped": outcome.reason.name if is_known else "UNKNOWN"}


def error_document(error: BaseException) -> dict[str, Any]:
    """Return what the client raised; raises what it should not raise."""
    if isinstance(error, ClientClosedError):
        return CLOSED
    if isinstance(error, ProtocolError):
        return {"protocol": True}
    if isinstance(error, StatusError):
        return {
            "code": error.code,
            "reason": error.reason or "",
            "violations": [[each.field, each.description] for each in error.violations],
            "metadata": dict(error.metadata),
            "retry_after_secs": error.retry_after_secs or 0,
            "from_server": error.from_server,
            # Errors of gRPC libraries read differently.
            "message": error.message if error.from_server else "",
        }
    if isinstance(error, UnsuitableImageError | ValueError):
        return {"refused": True}
    raise error


def _pose(pose: Pose) -> pose_pb2.Pose:
    return pose_pb2.Pose(
        score=pose.score,
        box=_box(pose.box),
        keypoints=[
            pose_pb2.Keypoint(
                x=k.x, y=k.y, score=k.score, origin=f"KEYPOINT_ORIGIN_{k.origin.name}"
            )
            for k in (pose[index] for index in range(len(pose)))
        ],
        track_id=pose.track_id,
    )


def _box(box: Box) -> pose_pb2.Box:
    return pose_pb2.Box(x_min=box.x_min, y_min=box.y_min, x_max=box.x_max, y_max=box.y_max)
