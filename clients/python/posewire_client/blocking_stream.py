"""The blocking transport of a stream.

Four threads share the session under one condition. The feeder reads the caller's iterable, so that
waiting for a camera delays no outcome. The caller makes the calls and reads their responses. gRPC
iterates over `_requests` in a thread of its own. The thread that waits for an outcome also checks
the timeout, because reading a response blocks without one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire_client.channel import BlockingStreamCall, CallError, error_from_call
from posewire_client.errors import PosewireError, ProtocolError, StatusError
from posewire_client.request import FrameInput, FrameRequest
from posewire_client.result import Outcome
from posewire_client.session import StreamSession
from posewire_client.waiting import CallWait

_JOIN_SECS = 5.0  # far longer than a cancelled call takes to end


class BlockingStream:
    """Runs a session over gRPC. `open_call` starts a call that sends the given requests."""

    def __init__(
        self,
        session: StreamSession,
        open_call: Callable[[Iterator[StreamPosesRequest]], BlockingStreamCall],
        build_request: Callable[[FrameInput], FrameRequest],
        wait: CallWait,
    ) -> None:
        self._session = session
        self._open_call = open_call
        self._build_request = build_request
        self._wait = wait
        self._changed = threading.Condition()
        self._call: BlockingStreamCall | None = None

    def outcomes(self, frames: Iterable[FrameInput]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of the frames. Closing the generator cancels the call."""
        feeder = threading.Thread(target=self._feed, args=(frames,), daemon=True)
        caller = threading.Thread(target=self._make_calls, daemon=True)
        feeder.start()
        caller.start()
        try:
            while (outcome := self._next_outcome()) is not None:
                yield outcome
        finally:
            self._close()
            # The garbage collector may run this in any thread. Joining the feeder could block: it
            # may be waiting in the caller's iterable.
            if threading.current_thread() is not caller:
                caller.join(_JOIN_SECS)

    def abort(self, error: PosewireError) -> None:
        """End the stream. `outcomes` raises the error after the outcomes that have arrived."""
        with self._updated_session() as session:
            session.fail(error)
            self._cancel_call()

    @contextmanager
    def _updated_session(self) -> Generator[StreamSession, None, None]:
        """Hold the lock, and wake the other threads afterwards."""
        with self._changed:
            yield self._session
            self._changed.notify_all()

    def _next_outcome(self) -> Outcome | None:
        with self._updated_session() as session:
            while not session.is_take_ready:
                if (secs := session.secs_to_timeout) > 0:
                    self._changed.wait(min(secs, threading.TIMEOUT_MAX))
                else:
                    session.time_out()
                    self._cancel_call()
            return session.take()

    def _close(self) -> None:
        with self._updated_session() as session:
            session.close()
            self._cancel_call()

    def _cancel_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _feed(self, frames: Iterable[FrameInput]) -> None:
        error = None
        try:
            source = iter(frames)
            while self._wait_until_put_ready():
                request = self._build_request(next(source))
                with self._updated_session() as session:
                    session.put(request)
        except StopIteration:
            pass
        except BaseException as raised:  # noqa: BLE001 raised to the caller
            error = raised
        with self._updated_session() as session:
            session.finish_source(error)

    def _wait_until_put_ready(self) -> bool:
        """Wait until the session takes a frame; False if it will take no more."""
        session = self._session
        with self._changed:
            self._changed.wait_for(lambda: session.is_put_ready or session.is_finished)
            return not session.is_finished

    def _make_calls(self) -> None:
        try:
            while (delay := self._make_call()) is not None:
                if (error := self._session.pause_error) is not None:
                    self._wait.begin(error, delay)
                with self._changed:
                    self._changed.wait_for(lambda: self._session.is_finished, timeout=delay)
        except BaseException as raised:  # noqa: BLE001 raised to the caller
            with self._updated_session() as session:
                session.fail(raised)
        finally:
            self._wait.end()

    def _make_call(self) -> float | None:
        """Make one call and read it to its end; return the delay before the next, if any."""
        with self._changed:
            if self._session.is_finished:
                return None
            call = self._call = self._open_call(self._requests(self._session.open_call()))
        error = self._read_to_end(call)
        with self._updated_session() as session:
            self._call = None
            return session.end_call(error)

    def _read_to_end(self, call: BlockingStreamCall) -> StatusError | None:
        """Process all responses; return the error that ended the call, or None for OK."""
        try:
            for response in call:
                with self._updated_session() as session:
                    session.receive(response)
                self._wait.end()
        except CallError as error:
            return error_from_call(error)
        except ProtocolError:
            call.cancel()
            raise
        return None

    def _requests(self, call_number: int) -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=self._session.config)
        while (request := self._wait_for_request(call_number)) is not None:
            yield request

    def _wait_for_request(self, call_number: int) -> StreamPosesRequest | None:
        session = self._session
        with self._changed:
            while not session.should_half_close(call_number):
                if (request := session.next_request()) is not None:
                    return request
                self._changed.notify_all()  # next_request may have settled a frame
                self._changed.wait()
        return None
