"""A stream whose caller blocks.

Three threads work for the caller and share the session under one condition. One takes frames from
the caller's iterable, so that a camera that waits holds up no outcome; one makes the calls and
reads them; and gRPC has one of its own that sends what `_requests` yields.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from posewire.v1 import pose_service_pb2
from posewire_client.channel import CallError, error_from_call
from posewire_client.errors import DeadlineExceededError, ProtocolError, StatusError
from posewire_client.request import FrameInput, frame_request
from posewire_client.result import Outcome
from posewire_client.session import StreamSession


class BlockingStream:
    """Carries one session over gRPC. `open_call` takes the requests of a call and makes it."""

    def __init__(
        self,
        session: StreamSession,
        open_call: Callable[[Iterator[pose_service_pb2.StreamPosesRequest]], Any],
        *,
        start_timeout_secs: float,
    ) -> None:
        self._session = session
        self._open_call = open_call
        self._start_timeout_secs = start_timeout_secs
        self._changed = threading.Condition()
        self._call: Any = None

    def outcomes(self, frames: Iterable[FrameInput]) -> Generator[Outcome, None, None]:
        """The outcomes of the frames; closing the generator cancels the call."""
        feeder = threading.Thread(target=self._feed, args=(frames,), daemon=True)
        caller = threading.Thread(target=self._make_calls, daemon=True)
        feeder.start()
        caller.start()
        try:
            while (outcome := self._next_outcome()) is not None:
                yield outcome
        finally:
            self._close()
            caller.join()
            # The feeder is not waited for: it may be in the caller's iterable, and ends after that.

    def _next_outcome(self) -> Outcome | None:
        with self._changed:
            self._changed.wait_for(lambda: self._session.has_news)
            outcome = self._session.take()
            self._changed.notify_all()  # the window has room
            return outcome

    def _close(self) -> None:
        with self._changed:
            self._session.close()
            if self._call is not None:
                self._call.cancel()
            self._changed.notify_all()

    def _feed(self, frames: Iterable[FrameInput]) -> None:
        error = None
        try:
            source = iter(frames)
            while self._wait_until_wanted():
                request = frame_request(next(source))
                with self._changed:
                    self._session.put(request)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as raised:  # noqa: BLE001 the caller gets it
            error = raised
        with self._changed:
            self._session.end_source(error)
            self._changed.notify_all()

    def _wait_until_wanted(self) -> bool:
        """Whether the next frame is wanted; if not, none will be any more."""
        session = self._session
        with self._changed:
            self._changed.wait_for(lambda: session.wants_frame or session.is_over)
            return not session.is_over

    def _make_calls(self) -> None:
        try:
            while (wait := self._make_call()) is not None:
                with self._changed:
                    self._changed.wait_for(lambda: self._session.is_over, timeout=wait)
        except Exception as raised:  # noqa: BLE001 the caller gets it
            with self._changed:
                self._session.fail(raised)
        finally:
            with self._changed:
                self._changed.notify_all()

    def _make_call(self) -> float | None:
        """Make one call and read it to its end; the seconds until the next, None without one."""
        with self._changed:
            if self._session.is_over:
                return None
            call_number = self._session.open_call()
            self._call = self._open_call(self._requests(call_number))
        error = self._read_to_end(self._call)
        with self._changed:
            self._call = None
            wait = self._session.end_call(error)
            self._changed.notify_all()
            return wait

    def _read_to_end(self, call: Any) -> StatusError | None:
        """The error that the call ended with, None for OK."""
        try:
            for response in call:
                with self._changed:
                    self._session.receive(response)
                    self._changed.notify_all()
        except CallError as error:
            return error_from_call(error)
        except ProtocolError:
            call.cancel()
            raise
        return None

    def _requests(self, call_number: int) -> Iterator[pose_service_pb2.StreamPosesRequest]:
        session = self._session
        yield pose_service_pb2.StreamPosesRequest(config=session.config)
        with self._changed:
            self._changed.wait_for(
                lambda: session.is_started or session.is_call_over(call_number),
                timeout=self._start_timeout_secs,
            )
            if not session.is_started and not session.is_call_over(call_number):
                self._give_up_waiting()
        while True:
            with self._changed:
                request = self._wait_for_request(call_number)
            if request is None:
                return
            yield request

    def _give_up_waiting(self) -> None:
        secs = self._start_timeout_secs
        self._session.fail(DeadlineExceededError(f"the server started no stream within {secs} s"))
        self._call.cancel()
        self._changed.notify_all()

    def _wait_for_request(self, call_number: int) -> pose_service_pb2.StreamPosesRequest | None:
        session = self._session
        while not session.is_sending_over(call_number):
            request = session.next_request()
            if request is not None:
                return request
            self._changed.notify_all()  # a frame may have been refused here
            self._changed.wait()
        return None
