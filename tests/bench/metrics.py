"""Measures the cost of metrics: servers with and without them, in turns, under 64 streams.

Prints a Markdown table: run it through `make bench-metrics`, with nothing else on the machine. All
servers run at the same time and are measured in turns, so whatever else the machine does affects
all of them. A second server without metrics shows how much of a difference is chance. Frames cost
little, raw and with a network that answers at once, so the share of metrics is as large as it gets.
The server with metrics writes them in each of its turns, far more often than Prometheus asks.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import grpc

from posewire.v1 import image_pb2
from posewire_server.estimation.pipeline import StageTimes
from posewire_server.serving.observation.call import Call, Method
from posewire_server.serving.observation.metrics import Metrics
from tests.bench import serving_load
from tests.bench.machine import measured_on
from tests.bench.serving import SIDE, raw_image
from tests.bench.serving_load import Turn, run_turn
from tests.reference.processed import processed
from tests.reference.scrape import read_metrics
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import PEOPLE, stub_server

STREAMS = 64


@dataclass(slots=True)
class Measured:
    """A server and its turns; `metrics`: the address where it has metrics, if any."""

    name: str
    server: ServerProcess
    metrics: str | None
    turns: list[Turn] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [turn.rate for turn in self.turns]

    @property
    def cpu_millis(self) -> list[float]:
        """Of the server, for one frame."""
        return [turn.cpu_millis for turn in self.turns]

    def take_turn(self, secs: float) -> None:
        image = image_pb2.Image(raw=raw_image())
        server = self.server
        call = serving_load.stream(server.address, image)
        turn = run_turn([server.pid], call=call, callers=STREAMS, secs=secs)
        self.turns.append(asyncio.run(self._with_metrics(turn, secs)))

    async def _with_metrics(self, turn: Coroutine[Any, Any, Turn], secs: float) -> Turn:
        running = asyncio.create_task(turn)
        if self.metrics is not None:
            await asyncio.sleep(secs / 2)
            text = await asyncio.to_thread(read_metrics, self.metrics)
            assert "posewire_frames_total" in text
        return await running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="turns of each server")
    parser.add_argument("--secs", type=float, default=1.0, help="time of one turn")
    arguments = parser.parse_args()
    print(f"{measured_on(f'gRPC {grpc.__version__}')};")
    print(f"{STREAMS} streams of raw frames of {SIDE}×{SIDE} pixels, {PEOPLE} people each,")
    print(f"{arguments.rounds} rounds of {arguments.secs:g} s.\n")
    with ExitStack() as stack:
        address = f"unix:{stack.enter_context(TemporaryDirectory())}/metrics"
        servers = [
            started(stack, "without metrics"),
            started(stack, "without metrics, again"),
            started(stack, "with metrics", address),
        ]
        for each in servers:
            each.take_turn(arguments.secs)
            each.turns.clear()  # a warm-up
        for i in range(arguments.rounds):
            for each in servers[:: 1 if i % 2 else -1]:
                each.take_turn(arguments.secs)
    print(table(servers))
    micros, cpu_millis = micros_of_counting(), median(servers[0].cpu_millis)
    print(f"\nCounting one frame, alone: {micros:.1f} µs of CPU time, ", end="")
    print(f"{micros / cpu_millis / 10:.2f} % of what a frame costs the server.")
    print("Load average: " + ", ".join(f"{each:.2f}" for each in os.getloadavg()) + ".")


def started(stack: ExitStack, name: str, metrics: str | None = None) -> Measured:
    return Measured(name, stack.enter_context(stub_server(metrics_address=metrics)), metrics)


def micros_of_counting(*, frames: int = 20_000, runs: int = 20) -> float:
    """Return the CPU time that the observation of a result takes, the best of several runs."""
    times = StageTimes(0.0005, 0.01, 0.001, 0.002, 0.003)
    outcome = processed(times, people=PEOPLE, waited_secs=0.01)
    call = Call(Method("service", "Stream", "bidi_stream"), (Metrics(),))
    call.model = "stub"
    best = float("inf")
    for _ in range(runs):
        began = time.process_time()
        for frame_id in range(frames):
            call.accept_frame()
            call.end_frame(outcome, frame_id=frame_id, age_secs=0.02)
        best = min(best, time.process_time() - began)
    return 1e6 * best / frames


def table(servers: list[Measured]) -> str:
    """Show medians, and the quartiles of the ratios to the first server, round by round."""
    lines = [
        "| 64 streams | frames/s | ratio | quartiles | CPU a frame, ms | ratio | quartiles |",
        "|---|---|---|---|---|---|---|",
    ]
    base = servers[0]
    for each in servers:
        cells = [each.name]
        for ours, theirs in ((each.rates, base.rates), (each.cpu_millis, base.cpu_millis)):
            ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
            low, mid, high = quantiles(ratios, n=4)
            cells += [f"{median(ours):.3g}", f"{mid:.3f}", f"{low:.3f}, {high:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
