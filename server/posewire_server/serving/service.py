"""The calls of PoseService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakValueDictionary

import grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.answer import poses_to_proto, stage_times_to_proto
from posewire_server.serving.byte_budget import ByteBudget
from posewire_server.serving.errors import (
    BusyError,
    DeadlineMissedError,
    ModelNotFoundError,
    StreamOrderError,
    UnavailableError,
)
from posewire_server.serving.estimator import Estimator
from posewire_server.serving.received import Received, Receiver, Request
from posewire_server.serving.served_model import ServedModel
from posewire_server.serving.session import Session, SessionLife, path_in_stream
from posewire_server.serving.session_config import SessionConfig
from posewire_server.serving.status import as_request_error, status_of, unchanged

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

# How many unary requests of one peer are received at the same time, and the time limit for each.
# A request that is not received yet costs no more than gRPC's lookahead; see server.py.
_MAX_RECEIVING = 8
_RECEIVE_SECS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """Limits on client use; the default admits 4K BGRA and 8K JPEG images.

    `waiting`: images of one peer's unary calls that wait for a model, besides those in progress.
    `streams`: concurrent streams. `window`: unanswered frames of one stream, or more if the model
    processes more at a time. `held_bytes`: bytes of images received and not yet answered, besides
    one image for each caller.
    """

    image: ImageLimits = field(
        default_factory=lambda: ImageLimits(max_bytes=32 << 20, max_pixels=1 << 25)
    )
    waiting: int = 64
    streams: int = 64
    window: int = 8
    held_bytes: int = 512 << 20
    life: SessionLife = field(default_factory=SessionLife)


class PoseService:
    """Answers UNAVAILABLE until `open` is called, and again after `drain`."""

    def __init__(self, limits: ServiceLimits | None = None) -> None:
        self._limits = limits or ServiceLimits()
        # Set by `open`: the estimator of each model by name, and the default model's name.
        self._estimators: dict[str, Estimator] = {}
        self._default = ""
        # Streams that have sent their config.
        self._sessions: set[Session] = set()
        # Limits receiving, by peer; a peer without calls has no entry.
        self._receiving: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        # Open streams, and all calls in progress.
        self._streams = 0
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = asyncio.Event()

    def open(self, models: Sequence[ServedModel]) -> None:
        """Serve these models, already warmed up; the first is the default."""
        limits, budget = self._limits, ByteBudget(self._limits.held_bytes)
        self._estimators = {
            model.name: Estimator(model, limits=limits.image, waiting=limits.waiting, budget=budget)
            for model in models
        }
        self._default = models[0].name

    def drain(self) -> None:
        """Reject new calls and drain every stream."""
        self._draining.set()
        for session in self._sessions:
            session.drain()

    async def wait_until_idle(self) -> None:
        """Wait until no call is in progress."""
        await self._idle.wait()

    @property
    def is_busy(self) -> bool:
        """Whether images are in progress, including those of calls that have ended."""
        return any(estimator.is_busy for estimator in self._estimators.values())

    def close(self) -> None:
        """Start no more images."""
        for estimator in self._estimators.values():
            estimator.close()

    async def ListModels(
        self, _: AsyncIterator[Received[messages.ListModelsRequest]], context: Context
    ) -> messages.ListModelsResponse:
        with self._call(context):
            self._check_is_serving()
            models = [each.description for _, each in sorted(self._estimators.items())]
            return messages.ListModelsResponse(models=models, default_model=self._default)

    async def GetModel(
        self, _: AsyncIterator[Received[messages.GetModelRequest]], context: Context
    ) -> messages.GetModelResponse:
        with self._call(context):
            self._check_is_serving()
            requests: Receiver[messages.GetModelRequest] = Receiver(context)
            received = await self._receive(requests, _peer(context))
            estimator = self._estimator(received.message.model)
            return messages.GetModelResponse(model=estimator.description)

    async def EstimatePoses(
        self, _: AsyncIterator[Received[messages.EstimatePosesRequest]], context: Context
    ) -> messages.EstimatePosesResponse:
        with self._call(context):
            self._check_is_serving()
            estimating = self._estimate(Receiver(context), _peer(context))
            try:
                return await asyncio.wait_for(estimating, context.time_remaining())
            except asyncio.TimeoutError:
                raise DeadlineMissedError(
                    "the deadline came before the answer; allow more time"
                ) from None

    async def StreamPoses(
        self, _: AsyncIterator[Received[messages.StreamPosesRequest]], context: Context
    ) -> AsyncIterator[messages.StreamPosesResponse]:
        with self._call(context, locate=path_in_stream):
            self._check_is_serving()
            requests: Receiver[messages.StreamPosesRequest] = Receiver(context)
            first = await self._first_message(requests, self._limits.life.config_secs)
            with self._stream(), self._session(first, context) as session:
                async with aclosing(session.responses(requests)) as responses:
                    async for response in responses:
                        yield response

    async def _estimate(
        self, requests: Receiver[messages.EstimatePosesRequest], peer: str
    ) -> messages.EstimatePosesResponse:
        received = await self._receive(requests, peer)
        received_at = monotonic()
        request = received.message
        estimator = self._estimator(request.model)
        options = estimator.model.options.with_proto(request.options)
        processed = await estimator.estimate(request.image, options, peer=peer, size=received.size)
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

    async def _receive(self, requests: Receiver[Request], peer: str) -> Received[Request]:
        """Receive the request of a unary call when it is its peer's turn."""
        # A weak reference: calls keep their peer's semaphore alive.
        receiving = self._receiving.setdefault(peer, asyncio.Semaphore(_MAX_RECEIVING))
        async with receiving:
            received = await self._first_message(requests, _RECEIVE_SECS)
        if received is None:
            raise DeadlineMissedError(f"request: got none, want one within {_RECEIVE_SECS:g} s")
        return received

    @contextmanager
    def _call(
        self, context: Context, *, locate: Callable[[str], str] = unchanged
    ) -> Iterator[None]:
        """Count a call, and end it with the status of the error that the block raises."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            status = rpc_status.to_status(status_of(as_request_error(error), locate=locate))
            # Not `abort`: the context would keep its exception, and the exception the request.
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
        self, requests: Receiver[Request], within_secs: float
    ) -> Received[Request] | None:
        """Wait for a call's first message, while the server serves.

        Returns None if it does not arrive in time, or the client half-closes the call without one.
        """
        reading = asyncio.create_task(_next(requests))
        draining = asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait(
                [reading, draining], timeout=within_secs, return_when=asyncio.FIRST_COMPLETED
            )
            self._check_is_serving()
            return reading.result() if reading.done() else None
        finally:
            reading.cancel()
            draining.cancel()

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """Count a stream. Raises `BusyError` if all are in use."""
        if self._streams == self._limits.streams:
            raise BusyError(
                f"all {self._limits.streams} streams of this server are in use",
                reason="STREAM_LIMIT_REACHED",
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @contextmanager
    def _session(
        self, received: Received[messages.StreamPosesRequest] | None, context: Context
    ) -> Iterator[Session]:
        """Open a session with a stream's first message; `drain` reaches it during the block."""
        first = None if received is None else received.message
        if first is None or not first.HasField("config"):
            got = "no message" if first is None else first.WhichOneof("payload") or "an empty one"
            raise StreamOrderError(
                f"first message: got {got}, want the stream's config within "
                f"{self._limits.life.config_secs:g} s",
                reason="CONFIG_MISSING",
            )
        estimator = self._estimator(first.config.model)
        # For each frame in progress, one more in transit.
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


async def _next(requests: Receiver[Request]) -> Received[Request] | None:
    return await anext(requests, None)


def _peer(context: Context) -> str:
    """The host of a client; all its connections are one peer."""
    peer: str = context.peer()
    return peer if peer.startswith("unix:") else peer.rpartition(":")[0]
