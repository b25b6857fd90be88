"""The asynchronous transport of a stream.

Two tasks share the session under one condition: one reads the caller's iterable, the other makes
the calls and reads their responses. gRPC iterates over `_requests` in a task of its own. Images are
read and copied in worker threads, off the event loop.

grpc.aio raises asyncio.CancelledError when a call is cancelled on this side, for example by closing
the channel, and the caller's iterable may raise it too. Neither means that the caller's task was
cancelled, so it gets an error of this package instead.

If a write races with the status that ends the call, grpc.aio reports INTERNAL without details
instead of that status (in 14 of 600 such calls on a busy machine, grpcio 1.85.3). The session
reopens such a stream like one that was reset, and gets the status then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire_client.channel import AsyncStreamCall, CallError, error_from_call
from posewire_client.errors import (
    ClientClosedError,
    PosewireError,
    SourceCancelledError,
    StatusError,
)
from posewire_client.request import FrameInput, FrameRequest
from posewire_client.result import Outcome
from posewire_client.session import StreamSession
from posewire_client.waiting import CallWait


class AsyncStream:
    """Runs a session over gRPC. `open_call` starts a call that sends the given requests."""

    def __init__(
        self,
        session: StreamSession,
        open_call: Callable[[AsyncIterator[StreamPosesRequest]], AsyncStreamCall],
        build_request: Callable[[FrameInput], FrameRequest],
        wait: CallWait,
    ) -> None:
        self._session = session
        self._open_call = open_call
        self._build_request = build_request
        self._wait = wait
        self._changed = asyncio.Condition()
        self._timer: asyncio.TimerHandle | None = None

    async def outcomes(
        self, frames: AsyncIterable[FrameInput] | Iterable[FrameInput]
    ) -> AsyncGenerator[Outcome, None]:
        """Yield the outcomes of the frames. Closing the generator cancels the call."""
        tasks = [asyncio.create_task(self._feed(frames)), asyncio.create_task(self._make_calls())]
        try:
            while (outcome := await self._next_outcome()) is not None:
                yield outcome
        finally:
            self._session.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def abort(self, error: PosewireError) -> None:
        """End the stream. `outcomes` raises the error after the outcomes that have arrived."""
        async with self._updated_session() as session:
            session.fail(error)

    @asynccontextmanager
    async def _updated_session(self) -> AsyncGenerator[StreamSession, None]:
        """Hold the lock, and wake the other tasks afterwards."""
        async with self._changed:
            yield self._session
            self._changed.notify_all()

    async def _next_outcome(self) -> Outcome | None:
        async with self._updated_session() as session:
            await self._changed.wait_for(lambda: session.is_take_ready)
            return session.take()

    async def _feed(self, frames: AsyncIterable[FrameInput] | Iterable[FrameInput]) -> None:
        error: BaseException | None = None
        try:
            source = aiter(_as_async(frames))
            while await self._wait_until_put_ready():
                request = await asyncio.to_thread(self._build_request, await anext(source))
                async with self._updated_session() as session:
                    session.put(request)
        except StopAsyncIteration:
            pass
        except asyncio.CancelledError as raised:
            if self._session.is_finished:
                raise  # it is this task that was cancelled
            error = SourceCancelledError("the source of frames was cancelled")
            error.__cause__ = raised
        except GeneratorExit:
            raise  # a coroutine that is being closed must not wait
        except BaseException as raised:  # noqa: BLE001 raised to the caller
            error = raised
        async with self._updated_session() as session:
            session.finish_source(error)

    async def _wait_until_put_ready(self) -> bool:
        """Wait until the session takes a frame; False if it will take no more."""
        session = self._session
        async with self._changed:
            await self._changed.wait_for(lambda: session.is_put_ready or session.is_finished)
            return not session.is_finished

    async def _make_calls(self) -> None:
        try:
            while (delay := await self._make_call()) is not None:
                if (error := self._session.pause_error) is not None:
                    self._wait.begin(error, delay)
                await self._sleep(delay)
        except asyncio.CancelledError:
            closed = "the client or its channel was closed before the last outcome"
            await self.abort(ClientClosedError(closed))  # unless the session has finished
            raise
        except Exception as raised:  # noqa: BLE001 raised to the caller
            async with self._updated_session() as session:
                session.fail(raised)
        finally:
            self._wait.end()

    async def _sleep(self, secs: float) -> None:
        """Wait for that time, or until the session has finished."""
        async with self._changed:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self._session.is_finished), secs
                )

    async def _make_call(self) -> float | None:
        """Make one call and read it to its end; return the delay before the next, if any."""
        if self._session.is_finished:
            return None
        call = self._open_call(self._requests(self._session.open_call()))
        self._watch(call)
        try:
            error = await self._read_to_end(call)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            call.cancel()
        async with self._updated_session() as session:
            return session.end_call(error)

    async def _read_to_end(self, call: AsyncStreamCall) -> StatusError | None:
        """Process all responses; return the error that ended the call, or None for OK."""
        try:
            response = await call.read()
            while isinstance(response, StreamPosesResponse):  # and not the end of the stream
                async with self._updated_session() as session:
                    session.receive(response)
                self._wait.end()
                response = await call.read()
        except CallError as error:
            return error_from_call(error)
        except asyncio.CancelledError:
            if not self._session.has_timed_out:
                raise
        return None

    def _watch(self, call: AsyncStreamCall) -> None:
        """Cancel the call if the server is silent for too long; otherwise look again later."""
        if (secs := self._session.secs_to_timeout) > 0:
            self._timer = asyncio.get_running_loop().call_later(secs, self._watch, call)
        else:
            self._session.time_out()
            call.cancel()

    async def _requests(self, call_number: int) -> AsyncGenerator[StreamPosesRequest, None]:
        yield StreamPosesRequest(config=self._session.config)
        while (request := await self._wait_for_request(call_number)) is not None:
            yield request

    async def _wait_for_request(self, call_number: int) -> StreamPosesRequest | None:
        session = self._session
        async with self._changed:
            while not session.should_half_close(call_number):
                if (request := session.next_request()) is not None:
                    return request
                self._changed.notify_all()  # next_request may have settled a frame
                await self._changed.wait()
        return None


async def _as_async(
    frames: AsyncIterable[FrameInput] | Iterable[FrameInput],
) -> AsyncGenerator[FrameInput, None]:
    if isinstance(frames, AsyncIterable):
        async for frame in frames:
            yield frame
    else:
        for frame in frames:
            yield frame
