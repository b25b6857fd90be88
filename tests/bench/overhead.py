"""How long a JPEG takes through client and server besides the network, for which a stub stands.

Prints a Markdown table: run it through `make overhead`, with nothing else on the machine. Images go
one at a time: each is handed to the client when the outcome of the one before it is there. A server
that only decodes them, with the same libraries, shows what of that is the machine's.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray

from posewire_client import Client, Result, StageTimes
from posewire_server.sample import STILL
from tests.bench.machine import measured_on
from tests.reference.server_process import server_process
from tests.reference.stub_server import PEOPLE, stub_server

SIZE = (640, 480)
PERCENTILES = (50, 90, 99)
TURN, WARM_UP = 100, 20


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One image from the client's caller to the server and back, and what the server did."""

    secs: float
    stages: StageTimes

    @property
    def beyond_stub(self) -> float:
        return self.secs - self.stages.inference_secs

    @property
    def images(self) -> float:
        """Work on pixels and maps, which an image costs wherever it is done."""
        stages = self.stages
        return stages.image_decode_secs + stages.letterbox_secs + stages.grouping_secs

    @property
    def server_rest(self) -> float:
        """What the server's total has besides its stages."""
        stages = self.stages
        return stages.total_secs - stages.queue_secs - stages.inference_secs - self.images


BEYOND_STUB = "**beyond the stub**"

Row = tuple[str, Callable[[RoundTrip], float]]

ROWS: tuple[Row, ...] = (
    ("round trip", lambda each: each.secs),
    ("the stub", lambda each: each.stages.inference_secs),
    (BEYOND_STUB, lambda each: each.beyond_stub),
    ("its image work", lambda each: each.images),
    ("– JPEG decoding", lambda each: each.stages.image_decode_secs),
    ("– letterbox", lambda each: each.stages.letterbox_secs),
    ("– grouping", lambda each: each.stages.grouping_secs),
    ("**its transport**", lambda each: each.beyond_stub - each.images),
    ("– server: queue", lambda each: each.stages.queue_secs),
    ("– server: event loop, messages", lambda each: each.server_rest),
    ("– client and gRPC on both sides", lambda each: each.secs - each.stages.total_secs),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="images of each kind of call")
    parser.add_argument("--stub-millis", type=float, default=0.0, help="what the stub takes")
    arguments = parser.parse_args()
    jpeg = camera_jpeg()
    print(f"{measured_on(f'gRPC {grpc.__version__}')};")
    print(f"{PEOPLE} people in a JPEG of {len(jpeg)} bytes and {SIZE[0]}×{SIZE[1]} pixels.\n")
    with (
        stub_server(secs=arguments.stub_millis / 1000) as server,
        server_process("tests.reference.bare_server") as bare_server,
        Client(server.address) as client,
        Client(bare_server.address) as bare,
    ):
        unaries, streams, bares = in_turns(
            arguments.calls,
            lambda count: unary(client, jpeg, count),
            lambda count: streamed(client, jpeg, count),
            lambda count: unary(bare, jpeg, count),
        )
        print(table(bares, unaries, streams))
        rate = frames_per_sec(client, jpeg, arguments.calls)
    print(f"\nA stream with the server's window: {rate:.0f} frames/s.")
    print("Load average: " + ", ".join(f"{load:.2f}" for load in os.getloadavg()) + ".")


def camera_jpeg() -> bytes:
    """The still, larger and with a sensor's noise, which is what most bytes of a frame are."""
    still = cv2.resize(cv2.imread(str(STILL)), SIZE)
    noise = np.random.default_rng(0).normal(0, 4.2, still.shape)
    noisy = np.clip(still + noise, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def in_turns(
    calls: int, *measures: Callable[[int], Iterator[RoundTrip]]
) -> tuple[list[RoundTrip], ...]:
    """`calls` of each, rounded up to whole turns, so that what else the machine does hits all."""
    found = tuple([] for _ in measures)
    for _ in range(-(-calls // TURN)):
        for measure, trips in zip(measures, found, strict=True):
            trips += list(measure(WARM_UP + TURN))[WARM_UP:]
    return found


def unary(client: Client, jpeg: bytes, count: int) -> Iterator[RoundTrip]:
    """Each image in a call of its own."""
    for _ in range(count):
        start = time.perf_counter()
        result = client.estimate(jpeg)
        yield round_trip(start, result)


def streamed(client: Client, jpeg: bytes, count: int) -> Iterator[RoundTrip]:
    """All images in one stream."""
    turn = threading.Semaphore()

    def frames() -> Iterator[bytes]:
        for _ in range(count):
            turn.acquire()
            yield jpeg

    start = time.perf_counter()
    for outcome in client.stream(frames()):
        yield round_trip(start, outcome)
        start = time.perf_counter()
        turn.release()


def round_trip(start: float, outcome: object) -> RoundTrip:
    end = time.perf_counter()
    assert isinstance(outcome, Result), outcome
    assert len(outcome.poses) == PEOPLE, outcome
    return RoundTrip(end - start, outcome.stage_times)


def frames_per_sec(client: Client, jpeg: bytes, count: int) -> float:
    start = time.perf_counter()
    outcomes = list(client.stream(repeat(jpeg, count)))
    assert len(outcomes) == count
    return count / (time.perf_counter() - start)


def table(bares: list[RoundTrip], *columns: list[RoundTrip]) -> str:
    """Percentiles of each row; they do not add up, unlike the times of one image."""
    titles = [f"{call} p{at}" for call in ("unary", "stream") for at in PERCENTILES]
    rows = {
        name: np.concatenate([percentiles(map(secs_of, column)) for column in columns])
        for name, secs_of in ROWS
    }
    floor = np.tile(percentiles(each.secs for each in bares), len(columns))
    rows["grpc.aio and cv2 alone, unary"] = floor
    rows["**beyond the stub, times that**"] = rows[BEYOND_STUB] / floor
    lines = [f"| ms | {' | '.join(titles)} |", "|---" * (1 + len(titles)) + "|"]
    for name, values in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |")
    return "\n".join(lines)


def percentiles(secs: Iterable[float]) -> NDArray[np.float64]:
    """In milliseconds."""
    return np.percentile([1000 * each for each in secs], PERCENTILES)


if __name__ == "__main__":
    main()
