"""Keeping a server busy for a while, and how long its answers took."""

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
    """`concurrency` callers who each ask for the people in `image` again and again.

    `calls`: each asks anew when it has its answer (unary), or has a stream and keeps as many frames
    on their way as the server's window, or `window`, allows.
    """

    image: ImageInput
    calls: Calls
    concurrency: int
    secs: float
    model: str
    options: EstimateOptions
    window: int | None = None


@dataclass(slots=True)
class Answers:
    """`round_trips`: seconds from sending to the answer, of each outcome in `outcomes`.

    `secs` is the time in which they came.
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


def put_under(
    client: Client, load: Load, *, progress: Callable[[], object] = lambda: None
) -> Answers:
    """The answers to that load; raises what a call raises. `progress` is told of each of them."""
    answers = Answers()
    lock = threading.Lock()
    began = perf_counter()
    ends = began + load.secs

    def keep(outcome: Outcome, secs: float) -> None:
        with lock:
            answers.outcomes.append(outcome)
            answers.round_trips.append(secs)
            progress()

    call = _call if load.calls == "unary" else _stream
    with ThreadPoolExecutor(load.concurrency) as callers:
        calling = [callers.submit(call, client, load, ends, keep) for _ in range(load.concurrency)]
        for each in calling:
            each.result()
    answers.secs = perf_counter() - began
    return answers


def _call(client: Client, load: Load, ends: float, keep: Callable[[Outcome, float], None]) -> None:
    while (sent := perf_counter()) < ends:
        result = client.estimate(load.image, model=load.model, options=load.options)
        keep(result, perf_counter() - sent)


def _stream(
    client: Client, load: Load, ends: float, keep: Callable[[Outcome, float], None]
) -> None:
    sent: deque[float] = deque()

    def frames() -> Iterator[ImageInput]:
        while (now := perf_counter()) < ends:
            sent.append(now)
            yield load.image

    outcomes = client.stream(frames(), model=load.model, options=load.options, window=load.window)
    for outcome in outcomes:
        keep(outcome, perf_counter() - sent.popleft())
