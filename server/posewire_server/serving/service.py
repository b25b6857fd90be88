"""The calls of PoseService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire_server.errors import InvalidArgumentError, Violation
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.access.authentication import Access, Identity
from posewire_server.serving.access.quotas import Account
from posewire_server.serving.access.tokens import Token
from posewire_server.serving.access.usage import ALL
from posewire_server.serving.errors import (
    BusyError,
    DeadlineMissedError,
    MalformedMessageError,
    StreamOrderError,
    UnavailableError,
)
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.frames.estimators import Estimators
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.messages.live_calls import LiveCalls
from posewire_server.serving.messages.received import Received, Receiver, Request
from posewire_server.serving.messages.reception import Reception
from posewire_server.serving.messages.status import as_request_error, status_of, unchanged
from posewire_server.serving.observation.call import Call, Observer, methods_of, start_call
from posewire_server.serving.observation.load_report import load_report
from posewire_server.serving.scheduling.byte_budget import ByteBudget
from posewire_server.serving.scheduling.load import ServiceLoad
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.streams.session import Session, SessionLife, path_in_stream
from posewire_server.serving.streams.session_config import SessionConfig
from posewire_server.serving.streams.stream_tracks import open_tracks

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

# A stream keeps its config, with what the contract does not know. A resume token has 64 KiB.
_MAX_CONFIG_BYTES = 1 << 17

_DESCRIPTOR = messages.DESCRIPTOR.services_by_name["PoseService"]
SERVICE = _DESCRIPTOR.full_name
METHODS = methods_of(_DESCRIPTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """Limits on client use.

    `waiting`: images of one peer's unary calls that wait for a model, besides those in progress.
    `streams`: concurrent streams, and `streams_per_peer` those of one host without a token: see
    `Access`. `window`: unanswered frames of one stream, or more if the model
    processes more at a time. `held_bytes`: bytes of images received and not yet answered, besides
    one image for each caller. `receiving`: calls whose first message is received at the same time,
    each for at most `receive_secs`, or `patience_secs` while others wait for that.
    `receiving_per_host`: calls of one host whose first message is received or waits for that.
    `stall_secs`: how long an inference may run before its model has stalled; None for any time.
    """

    image: ImageLimits = field(default_factory=ImageLimits)
    waiting: int = 64
    streams: int = 64
    streams_per_peer: int | None = None
    window: int = 8
    held_bytes: int = 512 << 20
    receiving: int = 16
    receiving_per_host: int = 256
    receive_secs: float = 60.0
    patience_secs: float = 5.0
    stall_secs: float | None = 30.0
    life: SessionLife = field(default_factory=SessionLife)


class PoseService:
    """Answers UNAVAILABLE until `replace` is called, and again after `drain`.

    `reports_load`: whether the trailing metadata of calls reports the load.
    """

    def __init__(
        self,
        limits: ServiceLimits | None = None,
        *,
        access: Access | None = None,
        live_calls: LiveCalls | None = None,
        observers: Sequence[Observer] = (),
        resume_key: ResumeKey | None = None,
        reports_load: bool = False,
    ) -> None:
        self._limits = limits or ServiceLimits()
        self._reports_load = reports_load
        self._observers = observers
        self._resume_key = resume_key or ResumeKey()
        self._access = access or Access(
            streams=self._limits.streams, streams_per_peer=self._limits.streams_per_peer
        )
        self._live_calls = live_calls or LiveCalls()
        self._budget = ByteBudget(self._limits.held_bytes)
        self._estimators = Estimators(self._new_estimator)
        # Streams that have sent their config.
        self._sessions: dict[Session, Identity] = {}
        self._reception = Reception(
            self._limits.receiving,
            calls_per_host=self._limits.receiving_per_host,
            patience_secs=self._limits.patience_secs,
        )
        # Open streams, and all calls in progress.
        self._streams = 0
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_draining = False

    def replace(self, models: Sequence[ServedModel], *, drain_streams: bool = False) -> None:
        """Serve these models, already warmed up, from now on; the first is the default.

        Calls and streams in progress keep their model, unless `drain_streams` drains the streams
        of those that are not among `models`.
        """
        self._estimators.replace(models)
        for session in self._sessions:
            if drain_streams and session.model not in models:
                session.drain()

    def drain(self) -> None:
        """Reject new calls and drain every stream."""
        self._is_draining = True
        self._reception.end(_draining())
        for session in self._sessions:
            session.drain()

    def replace_tokens(self, tokens: Sequence[Token]) -> None:
        """Apply a tokens file, and drain the streams whose token is no longer in it."""
        self._access.replace(tokens)
        for session, identity in self._sessions.items():
            if not self._access.is_valid(identity):
                session.drain()

    async def wait_until_idle(self) -> None:
        """Wait until no call is in progress."""
        await self._idle.wait()

    @property
    def is_busy(self) -> bool:
        """Whether images are in progress, including those of calls that have ended."""
        return self._estimators.is_busy

    @property
    def load(self) -> ServiceLoad:
        models = {each.model.name: each.load for each in self._estimators.serving}
        return ServiceLoad(self._streams, models)

    def close(self) -> None:
        """Start no more images."""
        self._estimators.close()

    async def ListModels(
        self, _: AsyncIterator[Received[messages.ListModelsRequest]], context: Context
    ) -> messages.ListModelsResponse:
        with self._call(context, "ListModels") as call:
            await self._admit(context, call)
            self._check_is_serving()
            models = [each.description for each in self._estimators.serving]
            default = self._estimators.default
            return messages.ListModelsResponse(models=models, default_model=default)

    async def GetModel(
        self, _: AsyncIterator[Received[messages.GetModelRequest]], context: Context
    ) -> messages.GetModelResponse:
        with self._call(context, "GetModel") as call:
            await self._admit(context, call)
            self._check_is_serving()
            requests: Receiver[messages.GetModelRequest] = Receiver(context)
            received = await self._receive(requests, context.peer())
            estimator = self._estimators.find(received.message.model)
            return messages.GetModelResponse(model=estimator.description)

    async def EstimatePoses(
        self, _: AsyncIterator[Received[messages.EstimatePosesRequest]], context: Context
    ) -> bytes:
        with self._call(context, "EstimatePoses") as call:
            account = (await self._admit(context, call)).account
            self._check_is_serving()
            estimating = self._estimate(Receiver(context), call, account)
            try:
                return await asyncio.wait_for(estimating, context.time_remaining())
            except asyncio.TimeoutError:
                raise DeadlineMissedError(
                    "the deadline came before the answer; allow more time"
                ) from None

    async def StreamPoses(
        self, _: AsyncIterator[Received[messages.StreamPosesRequest]], context: Context
    ) -> AsyncIterator[bytes]:
        with self._call(context, "StreamPoses", locate=path_in_stream) as call:
            identity = await self._admit(context, call)
            self._check_is_serving()
            requests: Receiver[messages.StreamPosesRequest] = Receiver(context)
            first = await self._receive_config(requests, context.peer())
            with (
                identity.account.stream(),
                self._stream(),
                self._session(first, call, identity) as session,
            ):
                async with aclosing(session.responses(requests)) as responses:
                    async for response in responses:
                        yield response

    async def _estimate(
        self,
        requests: Receiver[messages.EstimatePosesRequest],
        call: Call,
        account: Account,
    ) -> bytes:
        account.check_rate()
        received = await self._receive(requests, call.peer)
        received_at = monotonic()
        request = received.message
        with self._estimators.use(request.model) as estimator:
            call.model = estimator.model.name
            call.accept_frame()
            options = estimator.model.options.with_proto(request.options)
            processed = await estimator.estimate(
                request.image,
                options,
                account=account,
                size=received.size,
                due_at=call.due_at,
                request_id=call.request_id,
            )
        total_secs = monotonic() - received_at
        call.end_frame(processed, frame_id=1, age_secs=total_secs)
        poses = processed.serialized_poses
        result = processed.fields.result(poses, total_secs=total_secs)
        model = messages.EstimatePosesResponse(model=estimator.model.name)
        return result + model.SerializeToString()

    async def _receive(self, requests: Receiver[Request], peer: str) -> Received[Request]:
        """Receive the request of a unary call."""
        receiving = self._reception.receive(requests, peer, within_secs=self._limits.receive_secs)
        if (received := await receiving) is None:
            raise MalformedMessageError("a call that ends without a message")
        return received

    async def _receive_config(
        self, requests: Receiver[messages.StreamPosesRequest], peer: str
    ) -> Received[messages.StreamPosesRequest] | None:
        """Receive a stream's first message; None if there is none in time."""
        within_secs = self._limits.life.config_secs
        with suppress(DeadlineMissedError):
            return await self._reception.receive(requests, peer, within_secs=within_secs)
        return None

    @contextmanager
    def _call(
        self, context: Context, method: str, *, locate: Callable[[str], str] = unchanged
    ) -> Iterator[Call]:
        """Count a call, and end it with the status of the error that the block raises."""
        call = start_call(METHODS[method], self._observers, context)
        context.set_trailing_metadata(call.trailing_metadata)
        self._calls += 1
        self._idle.clear()
        try:
            yield call
            if call.load_report is not None:
                context.set_trailing_metadata(call.trailing_metadata)
        except grpc.aio.AbortError:
            call.code = context.code().name
            raise
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            expected = as_request_error(error, request_id=call.request_id)
            call.fail(expected)
            status = rpc_status.to_status(status_of(expected, locate=locate))
            # Not `abort`: the context would keep its exception, and the exception the request.
            context.set_code(status.code)
            context.set_details(status.details)
            context.set_trailing_metadata((*status.trailing_metadata, *call.trailing_metadata))
        except BaseException:
            call.cancel()
            raise
        finally:
            call.end()
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def _admit(self, context: Context, call: Call) -> Identity:
        """Count the call and identify its caller. Raises `UnauthenticatedError`."""
        await self._live_calls.count(context)
        identity = self._access.identify(context.invocation_metadata() or (), call.peer)
        if identity.digest:
            call.caller = identity.account.name
        if self._reports_load:
            call.load_report = self._load_report
        return identity

    def _load_report(self) -> bytes:
        report: bytes = load_report(self.load).SerializeToString()
        return report

    def _check_is_serving(self) -> None:
        if self._is_draining:
            raise _draining()
        if not self._estimators.default:
            raise UnavailableError("the server is not ready yet", reason="WARMING_UP")

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """Count a stream. Raises `BusyError` if all are in use."""
        usage = self._access.usage
        if not usage.open_stream(ALL, self._limits.streams):
            raise BusyError(
                f"all {self._limits.streams} streams of this server are in use (--max-streams)",
                reason="STREAM_LIMIT_REACHED",
                metadata={"limit": "max_streams", "value": str(self._limits.streams)},
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
            usage.close_stream(ALL)

    @contextmanager
    def _session(
        self,
        received: Received[messages.StreamPosesRequest] | None,
        call: Call,
        identity: Identity,
    ) -> Iterator[Session]:
        """Open a session with a stream's first message; `drain` reaches it during the block."""
        first = None if received is None else received.message
        if first is None or not first.HasField("config"):
            got = "no message" if first is None else first.WhichOneof("payload") or "an empty one"
            raise StreamOrderError(
                f"first message: got {got}, want the stream's config within "
                f"{self._limits.life.config_secs:g} s "
                f"({self._limits.patience_secs:g} s while other calls wait)",
                reason="CONFIG_MISSING",
            )
        if received is not None and received.size > _MAX_CONFIG_BYTES:
            want = f"at most {_MAX_CONFIG_BYTES}"
            raise InvalidArgumentError(Violation("config", f"{received.size} bytes", want))
        with self._estimators.use(first.config.model) as estimator:
            # For each frame in progress, one more in transit.
            window = max(self._limits.window, 2 * estimator.model.pipeline.max_in_progress)
            config = SessionConfig.from_proto(
                first.config, defaults=estimator.model.options, max_window=window
            )
            call.model = estimator.model.name
            session = Session(
                estimator,
                config,
                self._limits.life,
                account=identity.account,
                call=call,
                tracks=open_tracks(estimator.model, config, self._resume_key),
            )
            self._sessions[session] = identity
            if self._is_draining or not self._access.is_valid(identity):
                session.drain()
            try:
                yield session
            finally:
                del self._sessions[session]

    def _new_estimator(self, model: ServedModel) -> Estimator:
        limits = self._limits
        return Estimator(
            model,
            limits=limits.image,
            waiting=limits.waiting,
            budget=self._budget,
            stall_secs=limits.stall_secs,
        )


def _draining() -> UnavailableError:
    return UnavailableError("the server is shutting down", reason="DRAINING")
