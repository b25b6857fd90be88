"""Generates load for a server and measures its response times."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

from posewire_client import Client, EstimateOptions, FrameFailure, ImageInput, Outcome, Result

Calls = Literal["unary", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The same image, sent repeatedly by `concurrency` callers for `secs` seconds.

    `calls`: a unary caller sends the next image after each response; a stream keeps as many frames
    in flight as the server's window, or `window`, allows.
    """

    image: ImageInput
    calls: Calls
    concurrency: int
    secs: float
    model: str
    options: EstimateOptions
    window: int | None = None


@dataclass(slots=True)
class Measurements:
    """`round_trips`: seconds from sending to response, for each of `outcomes`.

    `secs`: time to the last of them. `is_complete`: the load ran for its whole time.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)
    secs: float = 0.0
    is_complete: bool = False

    @property
    def failures(self) -> list[FrameFailure]:
        return [each for each in self.outcomes if isinstance(each, FrameFailure)]

    @property
    def results(self) -> list[Result]:
        return [each for each in self.outcomes if isinstance(each, Result)]


class LoadRun:
    """One run of a load. `measured` is valid during and after it, also if it is interrupted."""

    def __init__(
        self, client: Client, load: Load, *, progress: Callable[[], object] = lambda: None
    ) -> None:
        self.measured = Measurements()
        self._client = client
        self._load = load
        self._progress = progress
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._began = self._deadline = 0.0

    def run(self) -> None:
        """Run the load. `progress` is called after each response.

        Raises the first error of a call. That, or an interruption, closes the client, which ends
        the other calls.
        """
        self._began = perf_counter()
        self._deadline = self._began + self._load.secs
        call = self._call_unary if self._load.calls == "unary" else self._call_stream
        with ThreadPoolExecutor(self._load.concurrency) as pool:
            callers = [pool.submit(call) for _ in range(self._load.concurrency)]
            try:
                for caller in wait(callers, return_when=FIRST_EXCEPTION).done:
                    caller.result()
            except BaseException:
                self._is_over.set()
                self._client.close()
                raise
        self.measured.is_complete = True

    def _has_time(self) -> bool:
        return perf_counter() < self._deadline and not self._is_over.is_set()

    def _record(self, outcome: Outcome, sent: float) -> None:
        now = perf_counter()
        with self._lock:
            self.measured.outcomes.append(outcome)
            self.measured.round_trips.append(now - sent)
            self.measured.secs = now - self._began
            self._progress()

    def _call_unary(self) -> None:
        load = self._load
        while self._has_time():
            sent = perf_counter()
            result = self._client.estimate(load.image, model=load.model, options=load.options)
            self._record(result, sent)

    def _call_stream(self) -> None:
        load, sent = self._load, deque[float]()

        def frames() -> Iterator[ImageInput]:
            while self._has_time():
                sent.append(perf_counter())
                yield load.image

        for outcome in self._client.stream(
            frames(), model=load.model, options=load.options, window=load.window
        ):
            self._record(outcome, sent.popleft())
