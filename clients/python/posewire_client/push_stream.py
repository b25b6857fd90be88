"""A stream for programs that get their frames in a callback, and take outcomes in another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from types import TracebackType
from typing import Concatenate, ParamSpec

from posewire_client.errors import ClientClosedError
from posewire_client.request import FrameInput
from posewire_client.result import Outcome

P = ParamSpec("P")


class PushStream:
    """Sends frames one by one; `on_outcome` gets their outcomes, in order, in a thread of its own.

        with Client(target) as client, PushStream(client.stream, print) as stream:
            stream.send(image)

    The first argument is `Client.stream`, and further ones are passed to it. At the end of the
    block the stream waits for the outcomes of all frames; after an exception it is cancelled. An
    exception of `on_outcome` ends the stream, as errors of the stream do; `send` and `close` raise
    it.
    """

    def __init__(
        self,
        stream: Callable[Concatenate[Iterable[FrameInput], P], Generator[Outcome, None, None]],
        on_outcome: Callable[[Outcome], object],
        *args: P.args,
        **options: P.kwargs,
    ) -> None:
        self._on_outcome = on_outcome
        self._changed = threading.Condition()
        self._waiting: list[FrameInput] = []  # at most one
        self._is_closed = False  # there are no more frames
        self._has_ended = False
        self._error: BaseException | None = None
        self._outcomes = stream(self._frames(), *args, **options)
        self._thread = threading.Thread(target=self._run, name="push stream", daemon=True)
        self._thread.start()

    def __enter__(self) -> PushStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._cancel()

    def send(self, frame: FrameInput) -> None:
        """Send a frame, after waiting until the stream takes one.

        With Delivery.LATEST it always takes one soon. Raises the error that has ended the stream,
        and ClientClosedError after `close`.
        """
        self._refuse_in_callback("send")
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._is_over)
            if self._error is not None:
                raise self._error
            if self._is_over:
                raise ClientClosedError("the stream is closed; open a new one")
            self._waiting.append(frame)
            self._changed.notify_all()

    def close(self) -> None:
        """Wait for the outcomes of all frames; raises the error that has ended the stream."""
        self._refuse_in_callback("close")
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        if self._error is not None:
            raise self._error

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._has_ended

    def _frames(self) -> Generator[FrameInput, None, None]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
                if not self._waiting or self._has_ended:
                    return
                frame = self._waiting.pop()
                self._changed.notify_all()
            yield frame

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            with closing(self._outcomes):
                for outcome in self._outcomes:
                    if self._has_ended:
                        return
                    self._on_outcome(outcome)
        except BaseException as raised:  # noqa: BLE001 raised to the caller
            error = raised
        finally:
            with self._changed:
                self._has_ended = True
                self._error = error
                self._changed.notify_all()

    def _cancel(self) -> None:
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _refuse_in_callback(self, method: str) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                f"{method} was called by on_outcome, which it would wait for; call it elsewhere"
            )
