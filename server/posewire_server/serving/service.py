"""The calls of PoseService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from time import monotonic

import grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceServicer
from posewire_server.estimation.options import EstimateOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.answer import poses_to_proto, stage_times_to_proto
from posewire_server.serving.errors import (
    BusyError,
    DeadlineMissedError,
    ModelNotFoundError,
    StreamOrderError,
    UnavailableError,
)
from posewire_server.serving.estimator import Estimator
from posewire_server.serving.served_model import ServedModel
from posewire_server.serving.session import Session, SessionLife, path_in_stream
from posewire_server.serving.session_config import SessionConfig
from posewire_server.serving.status import as_it_is, forget_locals, status_of

# What the contract lets a client wait at least at its first new attempt.
_RETRY_SECS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """All that clients can have of the server; images may be as large as 4K BGRA and 8K JPEG.

    `waiting`: images that wait for one model besides those that are worked on. `window`: frames of
    one stream that may be unanswered.
    """

    image: ImageLimits = field(
        default_factory=lambda: ImageLimits(max_bytes=32 << 20, max_pixels=1 << 25)
    )
    waiting: int = 64
    streams: int = 64
    window: int = 8
    life: SessionLife = field(default_factory=SessionLife)


class PoseService(PoseServiceServicer):
    """Answers UNAVAILABLE until `open` is called, and again after `drain`."""

    def __init__(self, limits: ServiceLimits | None = None) -> None:
        self._limits = limits or ServiceLimits()
        self._estimators: dict[str, Estimator] = {}
        self._default = ""
        self._sessions: set[Session] = set()
        self._streams = 0
        self._draining = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def open(self, models: Sequence[ServedModel]) -> None:
        """Serves these models, which are warm; the first is the default."""
        limits = self._limits
        self._estimators = {
            model.name: Estimator(model, limits=limits.image, waiting=limits.waiting)
            for model in models
        }
        self._default = models[0].name

    def drain(self) -> None:
        """Takes no more calls, and tells every stream."""
        self._draining = True
        for session in self._sessions:
            session.drain()

    async def idle(self) -> None:
        """Waits until no call is under way."""
        await self._idle.wait()

    async def ListModels(
        self, request: messages.ListModelsRequest, context: grpc.aio.ServicerContext
    ) -> messages.ListModelsResponse:
        with self._call(context):
            self._check_is_serving()
            models = [each.description for _, each in sorted(self._estimators.items())]
            return messages.ListModelsResponse(models=models, default_model=self._default)

    async def GetModel(
        self, request: messages.GetModelRequest, context: grpc.aio.ServicerContext
    ) -> messages.GetModelResponse:
        with self._call(context):
            self._check_is_serving()
            return messages.GetModelResponse(model=self._estimator(request.model).description)

    async def EstimatePoses(
        self, request: messages.EstimatePosesRequest, context: grpc.aio.ServicerContext
    ) -> messages.EstimatePosesResponse:
        received = monotonic()
        with self._call(context):
            self._check_is_serving()
            estimator = self._estimator(request.model)
            options = estimator.model.options.with_proto(request.options)
            try:
                return await asyncio.wait_for(
                    _estimated(estimator, request, options, received), context.time_remaining()
                )
            except asyncio.TimeoutError:
                raise DeadlineMissedError(
                    "the deadline came before the answer; allow more time"
                ) from None

    async def StreamPoses(
        self,
        requests: AsyncIterator[messages.StreamPosesRequest],
        context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[messages.StreamPosesResponse]:
        with self._call(context, path_of=path_in_stream):
            self._check_is_serving()
            with self._place_for_stream():
                messages_left = aiter(requests)
                session = await self._session(messages_left)
                with self._listed(session):
                    async with aclosing(session.responses(messages_left)) as responses:
                        async for response in responses:
                            yield response

    async def _session(self, requests: AsyncIterator[messages.StreamPosesRequest]) -> Session:
        first = await anext(requests, None)
        if first is None or not first.HasField("config"):
            got = "no message" if first is None else first.WhichOneof("payload") or "an empty one"
            raise StreamOrderError(
                f"first message: got {got}, want the stream's config", reason="CONFIG_MISSING"
            )
        estimator = self._estimator(first.config.model)
        # One frame on its way in each direction for each that is worked on.
        window = max(self._limits.window, 2 * estimator.model.pipeline.useful_depth)
        config = SessionConfig.from_proto(
            first.config, defaults=estimator.model.options, max_window=window
        )
        return Session(estimator, config, self._limits.life)

    @contextmanager
    def _call(
        self, context: grpc.aio.ServicerContext, *, path_of: Callable[[str], str] = as_it_is
    ) -> Iterator[None]:
        """Counts a call, and ends it with the status of what is raised in the block."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - status_of logs what nobody foresaw
            status = rpc_status.to_status(status_of(error, path_of=path_of))
            forget_locals(error)
            # Not `abort`: the context would keep what that raises, and this the request.
            context.set_code(status.code)
            context.set_details(status.details)
            context.set_trailing_metadata(status.trailing_metadata)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    def _check_is_serving(self) -> None:
        if self._draining:
            raise UnavailableError("the server is shutting down", reason="DRAINING")
        if not self._estimators:
            raise UnavailableError("the server is not ready yet", reason="WARMING_UP")

    @contextmanager
    def _place_for_stream(self) -> Iterator[None]:
        if self._streams == self._limits.streams:
            raise BusyError(
                f"all {self._limits.streams} streams of this server are taken",
                reason="STREAM_LIMIT_REACHED",
                retry_secs=_RETRY_SECS,
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @contextmanager
    def _listed(self, session: Session) -> Iterator[None]:
        """While `drain` reaches it."""
        self._sessions.add(session)
        if self._draining:
            session.drain()
        try:
            yield
        finally:
            self._sessions.discard(session)

    def _estimator(self, name: str) -> Estimator:
        estimator = self._estimators.get(name or self._default)
        if estimator is None:
            raise ModelNotFoundError(name, served=tuple(sorted(self._estimators)))
        return estimator


async def _estimated(
    estimator: Estimator,
    request: messages.EstimatePosesRequest,
    options: EstimateOptions,
    received: float,
) -> messages.EstimatePosesResponse:
    if not estimator.admission.try_enter():
        raise BusyError("no room for another image", reason="QUEUE_FULL", retry_secs=_RETRY_SECS)
    try:
        async with estimator.admission.turn:
            waited = monotonic() - received
            estimate = await estimator.model.pipeline.estimate_image(
                request.image, options, limits=estimator.limits
            )
    finally:
        estimator.admission.leave()
    return messages.EstimatePosesResponse(
        poses=poses_to_proto(estimate.poses),
        model=estimator.model.name,
        model_version=estimator.model.version,
        image_width=estimate.frame.width,
        image_height=estimate.frame.height,
        stage_times=stage_times_to_proto(
            estimate.times, waited_secs=waited, total_secs=monotonic() - received
        ),
    )
