"""Measures a stream to a posewire server: the time of a frame, and the client's CPU time for it.

The programs posebench of the clients in Go and C++ have the same options and print the same JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from posewire_client import Client, PosewireError, Result
from tests.reference.echo_server import ECHO

# Bounds a measurement of the bare echo, which has no other deadline.
ECHO_TIMEOUT_SECS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rate` is frames per second; 0: as fast as the window allows."""

    frames: int
    warm_up: int
    window: int
    rate: float


class FrameError(Exception):
    """A frame has no result."""


# Sends frames and yields the server's own time for each, 0 if unknown.
Stream = Callable[[Iterator[bytes]], Iterator[float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="posebench", description=__doc__)
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--echo", metavar="HOST:PORT", help="a bare echo server to measure too")
    parser.add_argument("--frames", type=int, default=200, help="frames to measure")
    parser.add_argument("--warm-up", type=int, default=20, help="frames before them")
    parser.add_argument("--window", type=int, default=1, help="maximum number in flight")
    parser.add_argument("--rate", type=float, default=0.0, help="maximum frames per second")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument("image", type=Path)
    given = parser.parse_args()
    plan = Plan(frames=given.frames, warm_up=given.warm_up, window=given.window, rate=given.rate)
    if plan.frames < 1 or plan.warm_up < 0 or plan.window < 1 or not plan.rate >= 0:
        parser.error("expected --frames and --window from 1, --warm-up and --rate from 0")
    try:
        image = given.image.read_bytes()
        found = {"posewire": measure(plan, image, partial(posewire, given.server, plan.window))}
        if given.echo:
            found["echo"] = measure(plan, image, partial(echo, given.echo))
            del found["echo"]["beyond_server_p50_millis"]  # it reports no time of its own
    except (OSError, PosewireError, FrameError, grpc.RpcError) as error:
        print(f"posebench: {error}", file=sys.stderr)
        return 1
    if given.json:
        about = {"client": "python", "image_bytes": len(image), "window": plan.window}
        print(json.dumps(about | found))
    else:
        for name, figures in found.items():
            print(f"{name}: " + ", ".join(f"{key} {value:.6g}" for key, value in figures.items()))
    return 0


def posewire(address: str, window: int, frames: Iterator[bytes]) -> Iterator[float]:
    """A stream of the client."""
    with Client(address) as client:
        for outcome in client.stream(frames, window=window):
            if not isinstance(outcome, Result):
                raise FrameError(str(outcome))
            yield outcome.stage_times.total_secs


def echo(address: str, frames: Iterator[bytes]) -> Iterator[float]:
    """A stream of gRPC alone."""
    with grpc.insecure_channel(address) as channel:
        for _ in channel.stream_stream(ECHO)(frames, timeout=ECHO_TIMEOUT_SECS):
            yield 0.0


def measure(plan: Plan, image: bytes, stream: Stream) -> dict[str, Any]:
    """Send the frames of the plan, at most a window of them ahead of their outcomes."""
    total = plan.warm_up + plan.frames
    slots = threading.Semaphore(plan.window)
    starts: deque[float] = deque()
    is_stopped = False

    def frames() -> Iterator[bytes]:
        due = time.perf_counter()
        for _ in range(total):
            if plan.rate:
                now = time.perf_counter()
                due = max(due + 1 / plan.rate, now)
                time.sleep(due - now)
            slots.acquire()
            if is_stopped:
                return
            starts.append(time.perf_counter())
            yield image

    trips, beyond = [], []
    began, cpu_began = time.perf_counter(), time.process_time()
    try:
        for server_secs in stream(frames()):
            trips.append(time.perf_counter() - starts.popleft())
            beyond.append(trips[-1] - server_secs)
            if len(trips) == plan.warm_up:
                began, cpu_began = time.perf_counter(), time.process_time()
            slots.release()
    finally:
        is_stopped = True
        slots.release()
    cpu, elapsed = time.process_time() - cpu_began, time.perf_counter() - began
    if len(trips) < total:
        raise FrameError("the stream ended before its last outcome")
    return summary(trips[plan.warm_up :], beyond[plan.warm_up :], cpu, elapsed)


def summary(
    trips: list[float], beyond: list[float], cpu_secs: float, elapsed_secs: float
) -> dict[str, Any]:
    p50, p90, p99 = percentiles(trips, 50, 90, 99)
    return {
        "frames": len(trips),
        "p50_millis": p50,
        "p90_millis": p90,
        "p99_millis": p99,
        "beyond_server_p50_millis": percentiles(beyond, 50)[0],
        "cpu_millis_per_frame": 1000 * cpu_secs / len(trips),
        "frames_per_sec": len(trips) / elapsed_secs,
    }


def percentiles(secs: list[float], *percents: int) -> list[float]:
    """In milliseconds: the times that so many percent of the times do not exceed."""
    found = np.percentile(1000 * np.array(secs), percents, method="inverted_cdf")
    return list(map(float, found))


if __name__ == "__main__":
    sys.exit(main())
