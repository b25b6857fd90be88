"""The client that awaits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import Any

from posewire.v1 import pose_service_pb2
from posewire_client.answer import model_from_message, result_from_response
from posewire_client.async_stream import AsyncStream
from posewire_client.backoff import Attempts, Backoff
from posewire_client.channel import (
    CallError,
    Channel,
    ChannelOptions,
    async_channel,
    error_from_call,
    stub_on,
)
from posewire_client.errors import ClientClosedError
from posewire_client.image import ImageInput
from posewire_client.model import Model
from posewire_client.options import Delivery, EstimateOptions
from posewire_client.request import FrameInput, estimate_request, stream_config
from posewire_client.result import Outcome, Result
from posewire_client.session import StreamSession
from posewire_client.tls import Tls


class AsyncClient:
    """Calls a posewire server from one event loop, which must run when it is made.

    `target` is the address as gRPC writes it, such as "localhost:50051"; without `tls` the
    connection is not encrypted. Instead of a target it takes a `channel` that the caller made and
    closes. `timeout_secs` bounds each call, all its attempts included, and the opening of a stream;
    `attempts` is how many of them may fail in a row before their error is raised.

    Each call raises a StatusError for what the server answers.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        tls: Tls | None = None,
        channel: Channel | None = None,
        channel_options: ChannelOptions = (),
        timeout_secs: float = 30.0,
        attempts: int = 6,
    ) -> None:
        if target is not None and channel is None:
            self._channel: Any = async_channel(target, tls, channel_options)
        elif channel is not None and target is None:
            self._channel = channel
        else:
            raise ValueError(f"target is {target!r}, channel is {channel!r}; give one of the two")
        self._is_channel_own = channel is None
        self._stub = stub_on(self._channel)
        self._timeout_secs = timeout_secs
        self._attempts = attempts
        self._is_closed = False

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
        """Refuse further calls; end those under way unless the caller made the channel."""
        self._is_closed = True
        if self._is_channel_own:
            await self._channel.close()

    async def models(self, *, timeout_secs: float | None = None) -> tuple[Model, ...]:
        """All models that the server runs."""
        request = pose_service_pb2.ListModelsRequest()
        response = await self._call(self._stub.ListModels, request, timeout_secs)
        return tuple(model_from_message(each) for each in response.models)

    async def model(self, name: str = "", *, timeout_secs: float | None = None) -> Model:
        """One model, by default the server's; NotFoundError if the server does not run it."""
        request = pose_service_pb2.GetModelRequest(model=name)
        response = await self._call(self._stub.GetModel, request, timeout_secs)
        return model_from_message(response.model)

    async def estimate(
        self,
        image: ImageInput,
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        timeout_secs: float | None = None,
    ) -> Result:
        """The people in one image; an empty `model` is the server's default.

        The image is a uint8 array (h, w, 3) in the order blue, green, red or (h, w) of grey, or the
        bytes or the path of an image file.
        """
        # Off the event loop, which reading a file or copying megabytes would hold up.
        request = await asyncio.to_thread(estimate_request, image, model=model, options=options)
        response = await self._call(self._stub.EstimatePoses, request, timeout_secs)
        return result_from_response(response)

    def stream(
        self,
        frames: AsyncIterable[FrameInput] | Iterable[FrameInput],
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        delivery: Delivery = Delivery.LOSSLESS,
        window: int | None = None,
        max_frame_age_secs: float | None = None,
        track: bool = False,
        smoothing: bool = False,
    ) -> AsyncGenerator[Outcome, None]:
        """One outcome for each frame, in order: a Result, a FrameFailure or a Skipped.

        At most `window` frames are on their way, or fewer if the server says so. When the
        connection is lost or the server drains, the stream opens anew and frames without an outcome
        are sent again. With Delivery.LATEST a newer frame replaces the one that waits. What the
        iterable raises, this raises after the outcomes of the frames before it.

        `frames` that wait are asynchronous; others, such as a list, are read on the event loop.
        Outcomes that are not taken hold frames back. Closing the generator cancels the call; after
        leaving a loop early, `contextlib.aclosing` does so at once. The contract's comments in
        stream.proto tell more about the options.
        """
        self._check_open()
        config = stream_config(
            model=model,
            options=options,
            delivery=delivery,
            window=window,
            max_frame_age_secs=max_frame_age_secs,
            track=track,
            smoothing=smoothing,
        )
        session = StreamSession(config, Backoff(self._attempts))
        stream = AsyncStream(session, self._open_stream, start_timeout_secs=self._timeout_secs)
        return stream.outcomes(frames)

    def _open_stream(self, requests: AsyncIterator[pose_service_pb2.StreamPosesRequest]) -> Any:
        self._check_open()
        return self._stub.StreamPoses(requests)

    async def _call(self, method: Any, request: Any, timeout_secs: float | None) -> Any:
        self._check_open()
        if timeout_secs is None:
            timeout_secs = self._timeout_secs
        attempts = Attempts(Backoff(self._attempts), timeout_secs=timeout_secs)
        while True:
            try:
                return await method(request, timeout=attempts.remaining_secs())
            except CallError as error:
                wait = attempts.wait_after(error_from_call(error))
            await asyncio.sleep(wait)

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClientClosedError("the client is closed; make another one")
