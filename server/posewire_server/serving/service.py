"""The calls of PoseService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceServicer
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
from posewire_server.serving.status import as_request_error, status_of, unchanged

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

# RetryInfo delay: the contract's shortest wait before another attempt.
_RETRY_SECS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """Limits on client use; images may be as large as 4K BGRA and 8K JPEG.

    `waiting`: images of one peer's unary calls that wait for a model, besides those in progress.
    `streams`: concurrent streams. `window`: unanswered frames of one stream.
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
        # Set by `open`: the estimator of each model by name, and the default model's name.
        self._estimators: dict[str, Estimator] = {}
        self._default = ""
        # Streams that have sent their config.
        self._sessions: set[Session] = set()
        # Open streams, and all calls in progress.
        self._streams = 0
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = asyncio.Event()

    def open(self, models: Sequence[ServedModel]) -> None:
        """Serve these models, which are warm; the first is the default."""
        limits = self._limits
        self._estimators = {
            model.name: Estimator(model, limits=limits.image, waiting=limits.waiting)
            for model in models
        }
        self._default = models[0].name

    def drain(self) -> None:
        """Refuse new calls and drain every stream."""
        self._draining.set()
        for session in self._sessions:
            session.drain()

    async def wait_until_idle(self) -> None:
        """Wait until no call is in progress."""
        await self._idle.wait()

    @property
    def is_busy(self) -> bool:
        """Whether images are in progress, for which nobody may wait any more."""
        return any(estimator.is_busy for estimator in self._estimators.values())

    def close(self) -> None:
        """Start no more images."""
        for estimator in self._estimators.values():
            estimator.close(wait=False)

    async def ListModels(
        self, request: messages.ListModelsRequest, context: Context
    ) -> messages.ListModelsResponse:
        with self._call(context):
            self._check_is_serving()
            models = [each.description for _, each in sorted(self._estimators.items())]
            return messages.ListModelsResponse(models=models, default_model=self._default)

    async def GetModel(
        self, request: messages.GetModelRequest, context: Context
    ) -> messages.GetModelResponse:
        with self._call(context):
            self._check_is_serving()
            return messages.GetModelResponse(model=self._estimator(request.model).description)

    async def EstimatePoses(
        self, request: messages.EstimatePosesRequest, context: Context
    ) -> messages.EstimatePosesResponse:
        received_at = monotonic()
        with self._call(context):
            self._check_is_serving()
            estimator = self._estimator(request.model)
            options = estimator.model.options.with_proto(request.options)
            estimating = estimator.estimate(request.image, options, peer=_peer(context))
            try:
                processed = await asyncio.wait_for(estimating, context.time_remaining())
            except asyncio.TimeoutError:
                raise DeadlineMissedError(
                    "the deadline came before the answer; allow more time"
                ) from None
            estimate = processed.estimate
            return messages.EstimatePosesResponse(
                poses=poses_to_proto(estimate.poses),
                model=estimator.model.name,
                model_version=estimator.model.version,
                image_width=estimate.frame.width,
                image_height=estimate.frame.height,
                stage_times=stage_times_to_proto(
                    estimate.times,
                    waited_secs=processed.waited_secs,
                    total_secs=monotonic() - received_at,
                ),
            )

    async def StreamPoses(
        self,
        requests: AsyncIterator[messages.StreamPosesRequest],
        context: Context,
    ) -> AsyncIterator[messages.StreamPosesResponse]:
        with self._call(context, locate=path_in_stream):
            self._check_is_serving()
            remaining = aiter(requests)
            first = await self._first_message(remaining)
            with self._stream(), self._session(first, context) as session:
                async with aclosing(session.responses(remaining)) as responses:
                    async for response in responses:
                        yield response

    @contextmanager
    def _call(
        self, context: Context, *, locate: Callable[[str], str] = unchanged
    ) -> Iterator[None]:
        """Count a call, and end it with the status of what the block raises."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            status = rpc_status.to_status(status_of(as_request_error(error), locate=locate))
            # Not `abort`: the context would keep what that raises, and this the request.
            context.set_code(status.code)
            context.set_details(status.details)
            context.set_trailing_metadata(status.trailing_metadata)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    def _check_is_serving(self) -> None:
        if self._draining.is_set():
            raise UnavailableError("the server is shutting down", reason="DRAINING")
        if not self._estimators:
            raise UnavailableError("the server is not ready yet", reason="WARMING_UP")

    async def _first_message(
        self, requests: AsyncIterator[messages.StreamPosesRequest]
    ) -> messages.StreamPosesRequest | None:
        """Wait for a stream's first message, for a limited time and while the server serves.

        A stream without a config takes no place of others, and does not hold up a drain.
        """

        async def read() -> messages.StreamPosesRequest | None:
            return await anext(requests, None)

        reading, draining = asyncio.create_task(read()), asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait(
                [reading, draining],
                timeout=self._limits.life.config_secs,
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._check_is_serving()
            if reading.done():
                return reading.result()
            raise StreamOrderError(
                f"first message: got none in {self._limits.life.config_secs:g} s, want the "
                "stream's config",
                reason="CONFIG_MISSING",
            )
        finally:
            reading.cancel()
            draining.cancel()

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """Count a stream, if another one may open."""
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
    def _session(
        self, first: messages.StreamPosesRequest | None, context: Context
    ) -> Iterator[Session]:
        """Open a session with a stream's first message; `drain` reaches it during the block."""
        if first is None or not first.HasField("config"):
            got = "no message" if first is None else first.WhichOneof("payload") or "an empty one"
            raise StreamOrderError(
                f"first message: got {got}, want the stream's config", reason="CONFIG_MISSING"
            )
        estimator = self._estimator(first.config.model)
        # One frame on its way in each direction for each in progress.
        window = max(self._limits.window, 2 * estimator.model.pipeline.max_in_progress)
        config = SessionConfig.from_proto(
            first.config, defaults=estimator.model.options, max_window=window
        )
        session = Session(estimator, config, self._limits.life, peer=_peer(context))
        self._sessions.add(session)
        if self._draining.is_set():
            session.drain()
        try:
            yield session
        finally:
            self._sessions.discard(session)

    def _estimator(self, name: str) -> Estimator:
        estimator = self._estimators.get(name or self._default)
        if estimator is None:
            raise ModelNotFoundError(name, served=tuple(sorted(self._estimators)))
        return estimator


def _peer(context: Context) -> str:
    """The host of a client; all its connections are one peer."""
    peer: str = context.peer()
    return peer if peer.startswith("unix:") else peer.rpartition(":")[0]
