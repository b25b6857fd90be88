"""Generates load for a server and measures its response times."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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

    `secs`: duration of the whole run.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)
    secs: float = 0.0

    @property
    def failures(self) -> list[FrameFailure]:
        return [each for each in self.outcomes if isinstance(each, FrameFailure)]

    @property
    def results(self) -> list[Result]:
        return [each for each in self.outcomes if isinstance(each, Result)]


def run_load(
    client: Client, load: Load, *, progress: Callable[[], object] = lambda: None
) -> Measurements:
    """Run the load; `progress` is called after each response. Raises the first error of a call."""
    measured = Measurements()
    lock = threading.Lock()
    began = perf_counter()
    deadline = began + load.secs

    def record(outcome: Outcome, secs: float) -> None:
        with lock:
            measured.outcomes.append(outcome)
            measured.round_trips.append(secs)
            progress()

    run = _run_unary if load.calls == "unary" else _run_stream
    with ThreadPoolExecutor(load.concurrency) as pool:
        callers = [
            pool.submit(run, client, load, deadline, record) for _ in range(load.concurrency)
        ]
        for caller in callers:
            caller.result()
    measured.secs = perf_counter() - began
    return measured


def _run_unary(
    client: Client, load: Load, deadline: float, record: Callable[[Outcome, float], None]
) -> None:
    while (sent := perf_counter()) < deadline:
        result = client.estimate(load.image, model=load.model, options=load.options)
        record(result, perf_counter() - sent)


def _run_stream(
    client: Client, load: Load, deadline: float, record: Callable[[Outcome, float], None]
) -> None:
    sent: deque[float] = deque()

    def frames() -> Iterator[ImageInput]:
        while (now := perf_counter()) < deadline:
            sent.append(now)
            yield load.image

    outcomes = client.stream(frames(), model=load.model, options=load.options, window=load.window)
    for outcome in outcomes:
        record(outcome, perf_counter() - sent.popleft())
