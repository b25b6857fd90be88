"""How old the newest answered frame is, with a camera that is faster than the network.

Prints a Markdown table: run it through `make bench-latest`, with nothing else on the machine. The
client sends the frames of the camera in a LATEST stream to a server whose network takes a fixed
time, and compares its outcomes with the server's metrics.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.bench.machine import measured_on
from tests.reference.scrape import frame_counts
from tests.reference.stub_server import stub_server

SIDE = 128
SERVICE_SECS = 0.02
CAMERA_FPS = 100.0
_PATIENCE_SECS = 60


@dataclass(slots=True)
class Watched:
    """What the client of one stream saw, and what the server counted.

    `unsent`: how many frames the client did not send, because the window was full. `ages`: of
    results when they arrive, since their capture. `inferences`: their times of the network.
    """

    sent: list[int] = field(default_factory=list)
    unsent: int = 0
    outcomes: list[int] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    counted_by_server: Counter[tuple[str, str]] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    inferences: list[float] = field(default_factory=list)

    @property
    def age_ratios(self) -> list[float]:
        """The ages over the median time of an inference."""
        inference_secs = median(self.inferences)
        return [each / inference_secs for each in self.ages]


def watch(secs: float) -> Watched:
    """Film for this time, and wait for all outcomes."""
    with TemporaryDirectory() as directory:
        metrics = f"unix:{directory}/metrics"
        with stub_server(secs=SERVICE_SECS, metrics_address=metrics) as server:
            watched = asyncio.run(_film(server.address, secs))
            for (_, outcome, reason), number in frame_counts(metrics).items():
                watched.counted_by_server[outcome, reason] += number
    return watched


async def _film(address: str, secs: float) -> Watched:
    watched, captured_at = Watched(), dict[int, float]()
    async with grpc.aio.insecure_channel(address) as channel:
        stream: Any = PoseServiceStub(channel).StreamPoses(timeout=secs + _PATIENCE_SECS)
        config = stream_pb2.StreamConfig(delivery_policy=stream_pb2.DELIVERY_POLICY_LATEST)
        await stream.write(messages.StreamPosesRequest(config=config))
        window = (await stream.read()).started.max_frames_in_flight
        receiving = asyncio.create_task(_receive(stream, watched, captured_at))
        image = image_pb2.Image(
            raw=image_pb2.RawImage(
                data=b"\x80" * SIDE * SIDE,
                width=SIDE,
                height=SIDE,
                pixel_format=image_pb2.PIXEL_FORMAT_GRAY8,
            )
        )
        began = time.monotonic()
        for frame_id in range(1, round(secs * CAMERA_FPS) + 1):
            await asyncio.sleep(began + frame_id / CAMERA_FPS - time.monotonic())
            if len(captured_at) == window:
                watched.unsent += 1
                continue
            captured_at[frame_id] = time.monotonic()
            watched.sent.append(frame_id)
            frame = stream_pb2.Frame(frame_id=frame_id, image=image)
            await stream.write(messages.StreamPosesRequest(frame=frame))
        await stream.done_writing()
        await receiving
    return watched


async def _receive(stream: Any, watched: Watched, captured_at: dict[int, float]) -> None:
    while (response := await stream.read()) is not grpc.aio.EOF:
        outcome = response.outcome
        watched.outcomes.append(outcome.frame_id)
        age_secs = time.monotonic() - captured_at.pop(outcome.frame_id)
        kind, reason = outcome.WhichOneof("outcome"), ""
        if kind == "result":
            watched.ages.append(age_secs)
            times = outcome.result.stage_times
            watched.inferences.append(times.inference_duration.ToTimedelta().total_seconds())
        elif kind == "skipped":
            name = stream_pb2.SkipReason.Name(outcome.skipped.reason)
            reason = name.removeprefix("SKIP_REASON_")
        watched.counts[kind, reason] += 1


def table(watched: Watched) -> str:
    millis = [1000 * each for each in watched.ages]
    ratios = watched.age_ratios
    rows = ["| | median | p95 | p99 | largest |", "|---|--:|--:|--:|--:|"]
    for name, values in (("age when answered, ms", millis), ("age / one inference", ratios)):
        cuts = quantiles(values, n=100, method="inclusive")
        figures = (median(values), cuts[94], cuts[98], max(values))
        rows.append(f"| {name} | " + " | ".join(f"{each:.2f}" for each in figures) + " |")
    counts = ", ".join(
        f"{number} {reason or kind}" for (kind, reason), number in sorted(watched.counts.items())
    )
    rows.append(
        f"\n{len(watched.sent)} frames sent, {watched.unsent} not sent while the window was full; "
        f"outcomes: {counts}; the server's metrics say "
        f"{'the same' if watched.counts == watched.counted_by_server else 'something else'}."
    )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=float, default=60.0, help="time of filming")
    arguments = parser.parse_args()
    print(f"{measured_on(f'gRPC {grpc.__version__}')};")
    print(
        f"a camera of {CAMERA_FPS:g} frames a second, {1000 * SERVICE_SECS:g} ms an inference, "
        f"{arguments.secs:g} s.\n"
    )
    print(table(watch(arguments.secs)))
    print("Load average: " + ", ".join(f"{each:.2f}" for each in os.getloadavg()) + ".")


if __name__ == "__main__":
    main()
