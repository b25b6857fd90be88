"""Convert responses to results."""

from __future__ import annotations

from typing import Any

import numpy as np

from posewire.v1 import estimate_pb2, model_pb2, pose_pb2, pose_service_pb2, stream_pb2
from posewire_client.errors import ProtocolError
from posewire_client.image import ImageInput
from posewire_client.model import InputSize, Model, Precision
from posewire_client.options import EstimateOptions
from posewire_client.pose import Box, Origin, Pose
from posewire_client.result import FrameFailure, Outcome, Result, Skipped, SkipReason, StageTimes
from posewire_client.skeleton import Skeleton
from posewire_client.status import error_from_status

_PRECISIONS = {
    model_pb2.PRECISION_FP32: Precision.FP32,
    model_pb2.PRECISION_FP16: Precision.FP16,
    model_pb2.PRECISION_INT8: Precision.INT8,
}

_SKIP_REASONS = {
    stream_pb2.SKIP_REASON_SUPERSEDED: SkipReason.SUPERSEDED,
    stream_pb2.SKIP_REASON_TOO_OLD: SkipReason.TOO_OLD,
    stream_pb2.SKIP_REASON_OVERLOADED: SkipReason.OVERLOADED,
    stream_pb2.SKIP_REASON_DRAINING: SkipReason.DRAINING,
}

_ORIGINS = frozenset(each.value for each in Origin)


def result_from_response(
    response: pose_service_pb2.EstimatePosesResponse,
    *,
    skeleton: Skeleton | None = None,
    image: ImageInput | None = None,
) -> Result:
    """Convert the response for a single image."""
    return _result(response, model=response.model, skeleton=skeleton, image=image)


def outcome_from_message(
    outcome: stream_pb2.FrameOutcome,
    *,
    model: str,
    frames_skipped_before: int,
    skeleton: Skeleton | None = None,
    image: ImageInput | None = None,
) -> Outcome:
    """Convert the outcome of one frame of a stream that runs `model`."""
    frame_id = outcome.frame_id
    kind = outcome.WhichOneof("outcome")
    if kind == "result":
        return _result(
            outcome.result,
            model=model,
            skeleton=skeleton,
            image=image,
            frame_id=frame_id,
            frames_skipped_before=frames_skipped_before,
        )
    if kind == "error":
        return FrameFailure(
            frame_id=frame_id,
            error=error_from_status(outcome.error.status),
            frames_skipped_before=frames_skipped_before,
        )
    # A kind of outcome that is newer than this client counts as skipped.
    return Skipped(
        frame_id=frame_id,
        reason=_SKIP_REASONS.get(outcome.skipped.reason, SkipReason.UNKNOWN),
        frames_skipped_before=frames_skipped_before,
    )


def model_from_message(message: model_pb2.Model) -> Model:
    """Convert the description of a model; raises ProtocolError for options out of range."""
    return Model(
        name=message.name,
        version=message.version,
        precision=_PRECISIONS.get(message.precision, Precision.UNKNOWN),
        input_sizes=tuple(InputSize(size.width, size.height) for size in message.input_sizes),
        skeleton=skeleton_from_message(message.skeleton),
        default_options=_options(message.default_options),
    )


def _result(
    message: pose_service_pb2.EstimatePosesResponse | stream_pb2.FrameResult,
    *,
    model: str,
    skeleton: Skeleton | None,
    image: ImageInput | None,
    frame_id: int | None = None,
    frames_skipped_before: int = 0,
) -> Result:
    return Result(
        poses=tuple(_pose(pose, skeleton) for pose in message.poses),
        model=model,
        model_version=message.model_version,
        image_width=message.image_width,
        image_height=message.image_height,
        stage_times=_stage_times(message.stage_times),
        frame_id=frame_id,
        frames_skipped_before=frames_skipped_before,
        skeleton=skeleton,
        image=image,
    )


def _pose(pose: pose_pb2.Pose, skeleton: Skeleton | None) -> Pose:
    # One pass over the messages, because reading their fields dominates the cost.
    rows = [(each.x, each.y, each.score, _known_origin(each.origin)) for each in pose.keypoints]
    table = np.array(rows, np.float32).reshape(-1, 4)
    origins = table[:, 3].astype(np.uint8)
    for array in (table, origins):
        array.setflags(write=False)
    return Pose(
        score=pose.score,
        box=_box(pose.box),
        keypoints=table[:, :2],
        keypoint_scores=table[:, 2],
        origins=origins,
        track_id=pose.track_id if pose.HasField("track_id") else None,
        skeleton=skeleton,
    )


def _known_origin(origin: int) -> int:
    return origin if origin in _ORIGINS else Origin.UNKNOWN


def _box(box: pose_pb2.Box) -> Box:
    return Box(box.x_min, box.y_min, box.x_max, box.y_max)


def _stage_times(times: estimate_pb2.StageTimes) -> StageTimes:
    def secs(stage: str) -> float | None:
        field = f"{stage}_duration"
        if not times.HasField(field):
            return None
        duration = getattr(times, field)
        return float(duration.seconds + duration.nanos * 1e-9)

    return StageTimes(
        image_decode_secs=secs("image_decode"),
        queue_secs=secs("queue"),
        letterbox_secs=secs("letterbox"),
        inference_secs=secs("inference"),
        grouping_secs=secs("grouping"),
        total_secs=secs("total"),
    )


def skeleton_from_message(skeleton: model_pb2.Skeleton) -> Skeleton:
    """Convert the description of a model's keypoints."""
    return Skeleton(
        keypoint_names=tuple(each.name for each in skeleton.keypoints),
        oks_sigmas=tuple(each.oks_sigma for each in skeleton.keypoints),
        edges=tuple((each.first_keypoint, each.second_keypoint) for each in skeleton.edges),
        flip_pairs=tuple((each.left_keypoint, each.right_keypoint) for each in skeleton.flip_pairs),
    )


def _options(options: estimate_pb2.EstimateOptions) -> EstimateOptions:
    def if_set(name: str) -> Any:
        return getattr(options, name) if options.HasField(name) else None

    region = if_set("region_of_interest")
    try:
        return EstimateOptions(
            max_poses=if_set("max_poses"),
            min_pose_score=if_set("min_pose_score"),
            min_keypoint_score=if_set("min_keypoint_score"),
            region_of_interest=None if region is None else _box(region),
            refine=if_set("refine"),
            flip_test=if_set("flip_test"),
        )
    except ValueError as error:
        raise ProtocolError(f"the server described a model with the default {error}") from error
