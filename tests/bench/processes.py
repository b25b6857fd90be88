"""Measures one server process against two, and how processes share connections.

Prints Markdown tables: run it through `make bench-processes`, with nothing else on the machine. A
stub replaces the network, so that Python's part of the server is as large as it gets. The servers
are measured in turns. Clients run on the same processors: `capacity` is what the processes could
serve if they had one processor each to themselves, by their CPU time for a frame.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

import grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.bench.machine import measured_on
from tests.bench.serving import raw_image
from tests.bench.serving_load import Turn, run_turn, stream
from tests.reference.ports import free_port
from tests.reference.scrape import scrape, value
from tests.reference.stub_server import stub_server
from tests.reference.worker_processes import workers_of

STREAMS = 16
WORKERS = 4
# Longer than workers take to report the connections that have closed.
_SETTLE_SECS = 1.0


@dataclass(slots=True)
class Measured:
    """A server with its processes, and its turns; `processors`: those that it has in all."""

    name: str
    address: str
    pids: Sequence[int]
    processors: int
    turns: list[Turn] = field(default_factory=list)

    def take_turn(self, secs: float) -> None:
        call = stream(self.address, image_pb2.Image(raw=raw_image()))
        turn = run_turn(self.pids, call=call, callers=STREAMS, secs=secs)
        self.turns.append(asyncio.run(turn))

    @property
    def rates(self) -> list[float]:
        return [turn.rate for turn in self.turns]

    @property
    def cpu_millis(self) -> list[float]:
        return [turn.cpu_millis for turn in self.turns]

    @property
    def capacities(self) -> list[float]:
        return [1000 * self.processors / each for each in self.cpu_millis]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns of each server")
    parser.add_argument("--secs", type=float, default=1.0, help="time of one turn")
    parser.add_argument("--spreads", type=int, default=5, help="repetitions of each spread")
    arguments = parser.parse_args()
    print(measured_on(), end="\n\n")
    if arguments.rounds:
        print(*throughput(arguments.rounds, arguments.secs), sep="\n", end="\n\n")
    if arguments.spreads:
        print(*spreads(arguments.spreads), sep="\n")


def throughput(rounds: int, secs: float) -> Iterator[str]:
    """Yield the lines of a table."""
    with ExitStack() as stack:
        first, second = sorted(os.sched_getaffinity(0))[:2]
        with on_processors(first):
            one = stack.enter_context(stub_server())
        with on_processors(first, second):
            free = stack.enter_context(stub_server())
            two = stack.enter_context(stub_server(processes=2))
        servers = [
            Measured("one process on one processor", one.address, [one.pid], 1),
            Measured("one process on two processors", free.address, [free.pid], 1),
            Measured(
                "two processes on two processors",
                two.address,
                [two.pid, *workers_of(two.pid)],
                2,
            ),
        ]
        for _ in range(rounds):
            for each in servers:
                each.take_turn(secs)
    yield "| server | frames/s | CPU a frame, ms | capacity, frames/s |"
    yield "|---|---|---|---|"
    for each in servers:
        figures = (median(each.rates), median(each.cpu_millis), median(each.capacities))
        yield "| {} | {:.0f} | {:.2f} | {:.0f} |".format(each.name, *figures)
    yield ""
    *ones, two_processes = servers
    for each in ones:
        yield f"Two processes over {each.name}: frames/s {ratio(two_processes.rates, each.rates)}"
    capacity = ratio(two_processes.capacities, ones[0].capacities)
    yield f"Two processes over {ones[0].name}: capacity {capacity}"


def ratio(over: Sequence[float], under: Sequence[float]) -> str:
    each_round = [a / b for a, b in zip(over, under, strict=True)]
    low, mid, high = quantiles(each_round, n=4)
    return f"× {mid:.2f} [{low:.2f}, {high:.2f}]"


def spreads(repetitions: int) -> Iterator[str]:
    """Yield the lines of a table: streams of each process, most first."""
    metrics = f"127.0.0.1:{free_port()}"
    yield f"| streams | opened | streams of each of {WORKERS} processes, {repetitions} times |"
    yield "|---|---|---|"
    with stub_server(processes=WORKERS, metrics_address=metrics) as server:
        for count in (16, 64):
            for way in ("one after another", "at once", "on one connection"):
                if way == "on one connection" and count > STREAMS:
                    continue
                seen = []
                for _ in range(repetitions):
                    with open_streams(server.address, count, way):
                        samples = scrape(metrics)
                    time.sleep(_SETTLE_SECS)
                    streams = [
                        value(samples, "posewire_streams", process=str(each))
                        for each in range(WORKERS)
                    ]
                    seen.append("/".join(f"{each:.0f}" for each in sorted(streams, reverse=True)))
                yield f"| {count} | {way} | {', '.join(seen)} |"


@contextmanager
def open_streams(address: str, count: int, way: str) -> Iterator[None]:
    """Hold streams open during the block, on a connection each but for `on one connection`."""
    ending = threading.Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        ending.wait()

    with ExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]
        connections = 1 if way == "on one connection" else count
        channels = [
            stack.enter_context(grpc.insecure_channel(address, options=options))
            for _ in range(connections)
        ]
        calls = []
        for number in range(count):
            call = PoseServiceStub(channels[number % connections]).StreamPoses(requests())
            if way == "one after another":
                next(call)
            calls.append(call)
        if way != "one after another":
            for call in calls:
                next(call)
        yield
        ending.set()
        for call in calls:
            for _ in call:
                pass


@contextmanager
def on_processors(*processors: int) -> Iterator[None]:
    """Start processes on these processors during the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
