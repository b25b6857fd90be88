"""A stream whose caller awaits.

Two tasks work for the caller and share the session under one condition. One takes frames from the
caller's iterable, one makes the calls and reads them; gRPC has a task of its own that sends what
`_requests` yields. Images are read and copied in worker threads, off the event loop.

Where a write crosses the status that ends the call, gRPC's asyncio call says INTERNAL without
details in its place (in 14 of 600 such calls on a busy machine, grpcio 1.85.3). Such a stream is
opened anew like one that was reset, and is told the status then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any

from posewire.v1 import pose_service_pb2
from posewire_client.channel import END_OF_STREAM, CallError, error_from_call
from posewire_client.errors import DeadlineExceededError, StatusError
from posewire_client.request import FrameInput, frame_request
from posewire_client.result import Outcome
from posewire_client.session import StreamSession


class AsyncStream:
    """Carries one session over gRPC. `open_call` takes the requests of a call and makes it."""

    def __init__(
        self,
        session: StreamSession,
        open_call: Callable[[AsyncIterator[pose_service_pb2.StreamPosesRequest]], Any],
        *,
        start_timeout_secs: float,
    ) -> None:
        self._session = session
        self._open_call = open_call
        self._start_timeout_secs = start_timeout_secs
        self._changed = asyncio.Condition()

    async def outcomes(
        self, frames: AsyncIterable[FrameInput] | Iterable[FrameInput]
    ) -> AsyncGenerator[Outcome, None]:
        """The outcomes of the frames; closing the generator cancels the call."""
        tasks = [asyncio.create_task(self._feed(frames)), asyncio.create_task(self._make_calls())]
        try:
            while (outcome := await self._next_outcome()) is not None:
                yield outcome
        finally:
            self._session.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _next_outcome(self) -> Outcome | None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._session.has_news)
            outcome = self._session.take()
            self._changed.notify_all()  # the window has room
            return outcome

    async def _feed(self, frames: AsyncIterable[FrameInput] | Iterable[FrameInput]) -> None:
        error = None
        try:
            source = aiter(_asynchronous(frames))
            while await self._wait_until_wanted():
                request = await asyncio.to_thread(frame_request, await anext(source))
                async with self._changed:
                    self._session.put(request)
                    self._changed.notify_all()
        except StopAsyncIteration:
            pass
        except Exception as raised:  # noqa: BLE001 the caller gets it
            error = raised
        async with self._changed:
            self._session.end_source(error)
            self._changed.notify_all()

    async def _wait_until_wanted(self) -> bool:
        """Whether the next frame is wanted; if not, none will be any more."""
        session = self._session
        async with self._changed:
            await self._changed.wait_for(lambda: session.wants_frame or session.is_over)
            return not session.is_over

    async def _make_calls(self) -> None:
        try:
            while (wait := await self._make_call()) is not None:
                await asyncio.sleep(wait)
        except Exception as raised:  # noqa: BLE001 the caller gets it
            self._session.fail(raised)
        async with self._changed:
            self._changed.notify_all()

    async def _make_call(self) -> float | None:
        """Make one call and read it to its end; the seconds until the next, None without one."""
        if self._session.is_over:
            return None
        call = self._open_call(self._requests(self._session.open_call()))
        try:
            error = await self._read_to_end(call)
        finally:
            call.cancel()
        async with self._changed:
            wait = self._session.end_call(error)
            self._changed.notify_all()
            return wait

    async def _read_to_end(self, call: Any) -> StatusError | None:
        """The error that the call ended with, None for OK."""
        try:
            response = await self._first_response(call)
            while response is not END_OF_STREAM:
                async with self._changed:
                    self._session.receive(response)
                    self._changed.notify_all()
                response = await call.read()
        except CallError as error:
            return error_from_call(error)
        return None

    async def _first_response(self, call: Any) -> Any:
        secs = self._start_timeout_secs
        try:
            return await asyncio.wait_for(call.read(), secs)
        except asyncio.TimeoutError:
            raise DeadlineExceededError(f"the server started no stream within {secs} s") from None

    async def _requests(
        self, call_number: int
    ) -> AsyncGenerator[pose_service_pb2.StreamPosesRequest, None]:
        session = self._session
        yield pose_service_pb2.StreamPosesRequest(config=session.config)
        async with self._changed:
            await self._changed.wait_for(
                lambda: session.is_started or session.is_call_over(call_number)
            )
        while (request := await self._wait_for_request(call_number)) is not None:
            yield request

    async def _wait_for_request(
        self, call_number: int
    ) -> pose_service_pb2.StreamPosesRequest | None:
        session = self._session
        async with self._changed:
            while not session.is_sending_over(call_number):
                request = session.next_request()
                if request is not None:
                    return request
                self._changed.notify_all()  # a frame may have been refused here
                await self._changed.wait()
        return None


async def _asynchronous(
    frames: AsyncIterable[FrameInput] | Iterable[FrameInput],
) -> AsyncGenerator[FrameInput, None]:
    if isinstance(frames, AsyncIterable):
        async for frame in frames:
            yield frame
    else:
        for frame in frames:
            yield frame
