"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from types import TracebackType

from posewire.v1 import pose_service_pb2
from posewire_client.async_stream import AsyncStream
from posewire_client.backoff import checked_timeout
from posewire_client.base_client import BaseClient
from posewire_client.channel import (
    AsyncChannel,
    AsyncMethod,
    AsyncStreamCall,
    AsyncStub,
    CallError,
    Request,
    Response,
    async_channel,
    async_stub,
    error_from_call,
    response_of,
    translate_closed_channel,
)
from posewire_client.errors import ClientClosedError, ProtocolError, StatusError
from posewire_client.frames import AsyncFrameSource, open_async_frames
from posewire_client.health import is_serving_async
from posewire_client.image import ImageInput
from posewire_client.model import Model
from posewire_client.options import Delivery, EstimateOptions, SmoothingOptions
from posewire_client.pixels import Color
from posewire_client.request import estimate_request, frame_builder, kept_image, stream_config
from posewire_client.response import model_from_message, result_from_response
from posewire_client.result import Outcome, Result
from posewire_client.skeleton import Skeleton
from posewire_client.skeleton_cache import DESCRIBE_SECS


class AsyncClient(BaseClient[AsyncChannel, AsyncStub, AsyncStream, asyncio.Event]):
    """An asynchronous client of a posewire server.

    Create it in a running event loop and use it only there. The arguments are those of `Client`;
    `channel` is a channel of grpc.aio.

    asyncio.CancelledError always means that the caller's task was cancelled. Closing the client
    raises ClientClosedError in its calls and streams. A source of frames that raises CancelledError
    itself raises SourceCancelledError in the stream.
    """

    _make_event = staticmethod(asyncio.Event)
    _make_channel = staticmethod(async_channel)
    _make_stub = staticmethod(async_stub)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Refuse further calls.

        Calls and streams in progress raise ClientClosedError, unless the caller owns the channel.
        """
        self._closed.set()
        if self._owns_channel:
            for stream in self._tracked_streams():
                await stream.abort(
                    ClientClosedError("the client was closed before the last outcome")
                )
            await self._channel.close()

    async def models(self, *, timeout_secs: float | None = None) -> tuple[Model, ...]:
        """List the models of the server."""
        request = pose_service_pb2.ListModelsRequest()
        response = await self._call(self._stub.ListModels, request, timeout_secs)
        return tuple(self._skeletons.add(model_from_message(each)) for each in response.models)

    async def model(self, name: str = "", *, timeout_secs: float | None = None) -> Model:
        """Describe one model, by default the server's default; raises NotFoundError."""
        request = pose_service_pb2.GetModelRequest(model=name)
        response = await self._call(self._stub.GetModel, request, timeout_secs)
        return self._skeletons.add(model_from_message(response.model))

    async def is_ready(self, *, timeout_secs: float = 5.0) -> bool:
        """Return whether the server takes calls; see `Client.is_ready`."""
        self._check_open()
        return await is_serving_async(self._channel, timeout_secs=checked_timeout(timeout_secs))

    async def estimate(
        self,
        image: ImageInput,
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        color: Color = "bgr",
        timeout_secs: float | None = None,
    ) -> Result:
        """Estimate the poses in one image; see `Client.estimate`."""
        # Reading a file or copying megabytes would block the event loop.
        request = await asyncio.to_thread(
            estimate_request, image, model=model, options=options, color=color
        )
        response = await self._call(self._stub.EstimatePoses, request, timeout_secs)
        skeleton = await self._skeleton(response.model, response.model_version)
        return result_from_response(response, skeleton=skeleton, image=kept_image(image))

    def stream(
        self,
        frames: AsyncFrameSource,
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        delivery: Delivery = Delivery.LOSSLESS,
        window: int | None = None,
        max_frame_age_secs: float | None = None,
        track: bool = False,
        smoothing: bool = False,
        smoothing_options: SmoothingOptions | None = None,
        color: Color = "bgr",
        keep_images: bool = False,
        timeout_secs: float | None = None,
    ) -> AsyncGenerator[Outcome, None]:
        """Yield one outcome per frame, in order; see `Client.stream`.

        A plain iterable, such as a list, is read on the event loop and must not block. Closing the
        generator cancels the call; `contextlib.aclosing` closes it when a loop is left early.
        """
        source = open_async_frames(frames)
        config = stream_config(
            model=model,
            options=options,
            delivery=delivery,
            window=window,
            max_frame_age_secs=max_frame_age_secs,
            track=track,
            smoothing=smoothing,
            smoothing_options=smoothing_options,
        )
        build_request = frame_builder(color=color, keep_images=keep_images)
        session = self._begin_stream(config, timeout_secs)
        stream = AsyncStream(session, self._open_stream, build_request, self._begin_wait())
        return self._track(stream).outcomes(source)

    async def _skeleton(self, model: str, version: str) -> Skeleton | None:
        """Return the skeleton, which the first result with a model requests from the server."""
        if not self._skeletons.has(model, version):
            try:
                described = await self.model(model, timeout_secs=DESCRIBE_SECS)
            except (ProtocolError, StatusError) as error:
                self._skeletons.put_failure(model, version, error)
            else:
                self._skeletons.put(model, version, described.skeleton)
        return self._skeletons.get(model, version)

    def _open_stream(
        self, requests: AsyncIterator[pose_service_pb2.StreamPosesRequest]
    ) -> AsyncStreamCall:
        self._check_open()
        with translate_closed_channel():
            return self._stub.StreamPoses(requests, metadata=self._metadata)

    async def _call(
        self,
        method: AsyncMethod[Request, Response],
        request: Request,
        timeout_secs: float | None,
    ) -> Response:
        attempts = self._begin_call(timeout_secs)
        wait = self._begin_wait()
        try:
            while True:
                try:
                    with translate_closed_channel():
                        call = method(
                            request, timeout=attempts.remaining_secs(), metadata=self._metadata
                        )
                    return await response_of(call)
                except CallError as raised:
                    error = error_from_call(raised)
                delay = attempts.delay_after(error)
                wait.begin(error, delay)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), delay)
                self._check_open()
        finally:
            wait.end()
