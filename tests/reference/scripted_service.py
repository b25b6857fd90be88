"""A posewire server that follows scripts of a test, including scripts that break the contract.

It runs in threads, because a process can run grpc.aio on only one event loop, which tests of the
asynchronous client need.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from posewire.v1 import (
    estimate_pb2,
    model_pb2,
    pose_pb2,
    pose_service_pb2,
    pose_service_pb2_grpc,
    stream_pb2,
)

Request: TypeAlias = pose_service_pb2.StreamPosesRequest
Response: TypeAlias = pose_service_pb2.StreamPosesResponse

# Maps the requests of a stream, from its config on, to responses. StatusRaised ends the call.
StreamScript: TypeAlias = Callable[[Iterator[Request]], Iterator[Response]]
CallScript: TypeAlias = Callable[[Any], pose_service_pb2.EstimatePosesResponse]


class StatusRaised(Exception):
    """Ends a call with this status."""

    def __init__(self, status: Any) -> None:
        super().__init__(status.message)
        self.status = status


def answer_one(request: Any) -> pose_service_pb2.EstimatePosesResponse:
    """Find one person in the image."""
    return pose_service_pb2.EstimatePosesResponse(
        poses=[small_pose()], model="small", model_version="small@1", image_width=8, image_height=6
    )


def answer_all(requests: Iterator[Request]) -> Iterator[Response]:
    """Find one person in every frame."""
    next(requests)
    yield started()
    yield from map(result_for, requests)


@dataclass(slots=True)
class ScriptedService(pose_service_pb2_grpc.PoseServiceServicer):
    """Runs the next script for each call of a kind, and the last one for all further calls."""

    estimates: Sequence[CallScript] = (answer_one,)
    streams: Sequence[StreamScript] = (answer_all,)
    configs: list[stream_pb2.StreamConfig] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    frames_sent: list[list[int]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    describe: Callable[[str], model_pb2.Model] = field(default=lambda name: described_model(name))
    described: list[str] = field(default_factory=list)

    def ListModels(self, request: Any, context: Any) -> pose_service_pb2.ListModelsResponse:
        self.deadlines.append(context.time_remaining())
        return pose_service_pb2.ListModelsResponse(models=[small_model()], default_model="small")

    def GetModel(self, request: Any, context: Any) -> pose_service_pb2.GetModelResponse:
        self.described.append(request.model)
        try:
            return pose_service_pb2.GetModelResponse(model=self.describe(request.model))
        except StatusRaised as raised:
            abort(context, raised.status)
            raise

    def EstimatePoses(self, request: Any, context: Any) -> pose_service_pb2.EstimatePosesResponse:
        self.deadlines.append(context.time_remaining())
        self.requests.append(request)
        script = self.estimates[min(len(self.requests), len(self.estimates)) - 1]
        try:
            return script(request)
        except StatusRaised as raised:
            abort(context, raised.status)
            raise

    def StreamPoses(self, requests: Iterator[Request], context: Any) -> Iterator[Response]:
        context.add_callback(self.ended.set)
        sent: list[int] = []
        self.frames_sent.append(sent)
        script = self.streams[min(len(self.frames_sent), len(self.streams)) - 1]
        try:
            yield from script(self._recorded(requests, sent))
        except StatusRaised as raised:
            abort(context, raised.status)

    def _recorded(self, requests: Iterator[Request], sent: list[int]) -> Iterator[Request]:
        for request in requests:
            if request.HasField("config"):
                self.configs.append(request.config)
            else:
                sent.append(request.frame.frame_id)
            yield request


@dataclass(slots=True)
class RunningService:
    """A listening server. `stop` ends it as abruptly as a killed process."""

    server: Any
    port: int

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.stop(None).wait()


def start(
    service: pose_service_pb2_grpc.PoseServiceServicer, *, port: int = 0, credentials: Any = None
) -> RunningService:
    """Start the service on loopback; port 0 means any free port."""
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    pose_service_pb2_grpc.add_PoseServiceServicer_to_server(service, server)
    address = f"127.0.0.1:{port}"
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    server.start()
    return RunningService(server, port)


@contextmanager
def running(
    service: pose_service_pb2_grpc.PoseServiceServicer, *, credentials: Any = None
) -> Iterator[RunningService]:
    """Run the service for the duration of the block."""
    server = start(service, credentials=credentials)
    try:
        yield server
    finally:
        server.stop()


def small_model() -> model_pb2.Model:
    """A model with three keypoints."""
    names = ("nose", "left_eye", "right_eye")
    return model_pb2.Model(
        name="small",
        version="small@1",
        precision=model_pb2.PRECISION_FP32,
        input_sizes=[model_pb2.InputSize(width=64, height=48)],
        skeleton=model_pb2.Skeleton(
            keypoints=[model_pb2.KeypointDefinition(name=name, oks_sigma=0.5) for name in names],
            edges=[model_pb2.SkeletonEdge(first_keypoint=0, second_keypoint=1)],
            flip_pairs=[model_pb2.FlipPair(left_keypoint=1, right_keypoint=2)],
        ),
        default_options=estimate_pb2.EstimateOptions(
            max_poses=30, min_pose_score=0.25, min_keypoint_score=0, refine=True, flip_test=False
        ),
    )


def small_pose(*, track_id: int | None = None) -> pose_pb2.Pose:
    """A pose with three keypoints, one of each origin."""
    return pose_pb2.Pose(
        score=0.75,
        box=pose_pb2.Box(x_min=1.5, y_min=2.5, x_max=3.5, y_max=4.5),
        keypoints=[
            pose_pb2.Keypoint(x=1.5, y=2.5, score=0.875, origin=pose_pb2.KEYPOINT_ORIGIN_DETECTED),
            pose_pb2.Keypoint(x=3.5, y=4.5, score=0.25, origin=pose_pb2.KEYPOINT_ORIGIN_INFERRED),
            pose_pb2.Keypoint(origin=pose_pb2.KEYPOINT_ORIGIN_ABSENT),
        ],
        track_id=track_id,
    )


def described_model(name: str) -> model_pb2.Model:
    """The model of that name; no name is the default model's."""
    if name not in ("", "small"):
        raise StatusRaised(status(5, f"no model {name}"))
    return small_model()


def started(*, window: int = 4, max_image_bytes: int = 1 << 20) -> Response:
    """The response that starts a stream."""
    return Response(
        started=stream_pb2.StreamStarted(
            model=small_model(),
            max_frames_in_flight=window,
            max_image_bytes=max_image_bytes,
            max_image_pixels=1 << 20,
        )
    )


def result_for(request: Request) -> Response:
    """A result for the frame, with one person."""
    result = stream_pb2.FrameResult(
        poses=[small_pose()], model_version="small@1", image_width=8, image_height=6
    )
    frame_id = request.frame.frame_id
    return Response(outcome=stream_pb2.FrameOutcome(frame_id=frame_id, result=result))


def error_for(request: Request, status: Any) -> Response:
    """An error for the frame."""
    error = stream_pb2.FrameError(status=status)
    frame_id = request.frame.frame_id
    return Response(outcome=stream_pb2.FrameOutcome(frame_id=frame_id, error=error))


def skip_for(request: Request, reason: stream_pb2.SkipReason) -> Response:
    """A skip of the frame."""
    skip = stream_pb2.FrameSkipped(reason=reason)
    frame_id = request.frame.frame_id
    return Response(outcome=stream_pb2.FrameOutcome(frame_id=frame_id, skipped=skip))


def draining() -> Response:
    """The response that announces the end of the stream."""
    return Response(draining=stream_pb2.StreamDraining())


def status(code: int, message: str, *details: Message) -> Any:
    """A status with details."""
    packed = Status(code=code, message=message)
    for detail in details:
        packed.details.add().Pack(detail)
    return packed


def abort(context: Any, status: Any) -> None:
    """End the call with this status and its details, by raising an exception."""
    by_number = {code.value[0]: code for code in grpc.StatusCode}
    if status.details:
        details = (("grpc-status-details-bin", status.SerializeToString()),)
        context.set_trailing_metadata(details)
    context.abort(by_number[status.code], status.message)
