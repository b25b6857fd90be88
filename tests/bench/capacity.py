"""How many cameras a machine carries: a server's delays beside those of a simulated queue.

Prints the tables of docs/capacity.md: run it through `make capacity`. The network is a stub that
takes a fixed time, so few frames a second fill the server and the processor stays idle.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import grpc
import numpy as np

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.sample import STILL
from tests.bench.machine import measured_on
from tests.bench.queueing import Load, camera_delays, delays, max_cameras, poisson_delays
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import stub_server

# Long, so that waits for the processor hardly count.
SERVICE_SECS = 0.4
FPS = 0.25
CAMERAS = (5, 7, 9)
IDLE_STREAMS = 48
_PATIENCE_SECS = 120

# A machine of the example: frames in parallel, one thread each, and the time of HigherHRNet-W32 at
# 448x256 on one thread (the docstring of OpenVinoRunner).
EXAMPLE = Load(cameras=1000, fps=5.0, service_secs=0.265, parallel=16)
EXAMPLE_P99_SECS = 0.5
# The rest is for catching up after a delay, and for machines that are slower than the one measured.
MAX_UTILIZATION = 0.8
# CPU time of Envoy 1.40 for a frame of 100 KB (docs/deployment.md), and its health checks.
ENVOY_SECS = 0.0004
MAX_STREAM_AGE_SECS = 1800


@dataclass(slots=True)
class Seen:
    """Frames of all cameras: when they were sent, how long their results took, and the network."""

    sent_at: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    inferences: list[float] = field(default_factory=list)


def row(*cells: object) -> str:
    return f"| {' | '.join(str(each) for each in cells)} |"


def millis(secs: Any) -> str:
    return " / ".join(f"{1000 * each:.0f}" for each in np.quantile(secs, (0.5, 0.99)))


def delay_table(secs: float) -> Iterator[str]:
    """Compare a server with the queue of the same arrivals, with cameras, and with M/D/1."""
    yield row("cameras", "utilization", "server, ms", "same frames", "any cameras", "M/D/1")
    yield row(*["--:"] * 6)
    with ExitStack() as stack:
        servers = [stack.enter_context(stub_server(secs=SERVICE_SECS)) for _ in CAMERAS]
        films = asyncio.run(_film_all([each.address for each in servers], secs))
    for cameras, seen in zip(CAMERAS, films, strict=True):
        inference = median(seen.inferences)
        load = Load(cameras, FPS, inference)
        rng = np.random.default_rng(cameras)
        yield row(
            cameras,
            f"{load.utilization:.2f}",
            millis(seen.delays),
            millis(delays(np.sort(seen.sent_at), inference)),
            millis(camera_delays(load, rng)),
            millis(poisson_delays(load, rng)),
        )


def camera_table() -> Iterator[str]:
    """Return how many cameras fill a machine, and how many have results in time."""
    yield row("network, ms", "in parallel", "fps", "full at", "p99 within 2 inferences", "within 3")
    yield row(*["--:"] * 6)
    for service_secs, parallel, fps in (
        (0.02, 1, 10),
        (0.1, 1, 2),
        (0.1, 4, 5),
        (0.265, 16, 5),
    ):
        found = [
            max_cameras(fps, service_secs, parallel, p99_secs=times * service_secs)
            for times in (2, 3)
        ]
        full = parallel / (fps * service_secs)
        yield row(f"{1000 * service_secs:.0f}", parallel, fps, f"{full:.1f}", *found)


def size_lines() -> Iterator[str]:
    """Measure the memory of a stream, and the bytes of a frame and its result."""
    image = image_pb2.Image(encoded=image_pb2.EncodedImage(data=STILL.read_bytes()))
    with stub_server() as server:
        before, idle, used, outcome = asyncio.run(_hold_streams(server, image))
    frame = stream_pb2.Frame(frame_id=1, image=image)
    request = messages.StreamPosesRequest(frame=frame).ByteSize()
    yield (
        f"Memory: {before / 2**20:.0f} MiB without streams; "
        f"{(idle - before) / IDLE_STREAMS / 2**10:.0f} KiB more for each idle stream, and "
        f"{(used - before) / IDLE_STREAMS / 2**10:.0f} KiB for each after a frame of it."
    )
    yield (
        f"Network: {request} bytes for a frame of {len(STILL.read_bytes())} bytes, {outcome} for a "
        f"result with 3 people."
    )


def example_table() -> Iterator[str]:
    """Return what the example needs, and what grows with the number of machines."""
    full = EXAMPLE.parallel / (EXAMPLE.fps * EXAMPLE.service_secs)
    in_time = max_cameras(
        EXAMPLE.fps, EXAMPLE.service_secs, EXAMPLE.parallel, p99_secs=EXAMPLE_P99_SECS
    )
    each = min(in_time, int(MAX_UTILIZATION * full))
    machines = math.ceil((EXAMPLE.cameras + each) / each)
    yield (
        f"{EXAMPLE.cameras} cameras of {EXAMPLE.fps:g} fps, {1000 * EXAMPLE.service_secs:.0f} ms, "
        f"{EXAMPLE.parallel} in parallel, 99 % within {1000 * EXAMPLE_P99_SECS:.0f} ms: "
        f"{in_time} for a machine, K = {each} at a utilization of at most {MAX_UTILIZATION:g}, "
        f"machines = ceil(({EXAMPLE.cameras} + {each}) / {each}) = {machines}.\n"
    )
    yield row("machines", "streams", "frames/s", "Gbit/s", "Envoy, cores", "moves/s")
    yield row(*["--:"] * 6)
    for count in (10, 100, 1000):
        streams = count * each
        rate = streams * EXAMPLE.fps
        yield row(
            count,
            streams,
            f"{rate:.0f}",
            f"{rate * 100e3 * 8 / 1e9:.1f}",
            f"{rate * ENVOY_SECS:.1f}",
            f"{streams / MAX_STREAM_AGE_SECS:.1f}",
        )


async def _film_all(addresses: Sequence[str], secs: float) -> list[Seen]:
    """Film at all servers at the same time, since none of them needs the processor much."""
    films = map(_film, addresses, CAMERAS, [secs] * len(CAMERAS))
    return await asyncio.gather(*films)


async def _film(address: str, cameras: int, secs: float) -> Seen:
    seen = Seen()
    phases = np.random.default_rng(cameras).uniform(0, 1 / FPS, cameras)
    async with grpc.aio.insecure_channel(address) as channel:
        begin = time.monotonic() + 1.0
        await asyncio.gather(*(_film_one(channel, begin + each, secs, seen) for each in phases))
    return seen


async def _film_one(channel: grpc.aio.Channel, begin: float, secs: float, seen: Seen) -> None:
    stream = await _open(channel)
    sent: dict[int, float] = {}
    receiving = asyncio.create_task(_receive(stream, sent, seen))
    image = image_pb2.RawImage(
        data=b"\x80" * 4096, width=64, height=64, pixel_format=image_pb2.PIXEL_FORMAT_GRAY8
    )
    for frame_id in range(1, round(secs * FPS) + 1):
        await asyncio.sleep(begin + frame_id / FPS - time.monotonic())
        sent[frame_id] = time.monotonic()
        seen.sent_at.append(sent[frame_id])
        frame = stream_pb2.Frame(frame_id=frame_id, image=image_pb2.Image(raw=image))
        await stream.write(messages.StreamPosesRequest(frame=frame))
    await stream.done_writing()
    await receiving


async def _receive(stream: Any, sent: dict[int, float], seen: Seen) -> None:
    while (response := await stream.read()) is not grpc.aio.EOF:
        seen.delays.append(time.monotonic() - sent.pop(response.outcome.frame_id))
        times = response.outcome.result.stage_times
        seen.inferences.append(times.inference_duration.ToTimedelta().total_seconds())


async def _hold_streams(server: ServerProcess, image: image_pb2.Image) -> tuple[int, int, int, int]:
    """Return the server's memory before, with idle and with used streams; a result's size."""
    before = server.resident_bytes
    channels = [
        grpc.aio.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(IDLE_STREAMS)
    ]
    try:
        streams = [await _open(channel) for channel in channels]
        idle = server.resident_bytes
        frame = stream_pb2.Frame(frame_id=1, image=image)
        for stream in streams:
            await stream.write(messages.StreamPosesRequest(frame=frame))
            outcome = await stream.read()
        return before, idle, server.resident_bytes, outcome.ByteSize()
    finally:
        for channel in channels:
            await channel.close()


async def _open(channel: grpc.aio.Channel) -> Any:
    stream: Any = PoseServiceStub(channel).StreamPoses(timeout=10 * _PATIENCE_SECS)
    await stream.write(messages.StreamPosesRequest(config=stream_pb2.StreamConfig()))
    assert (await stream.read()).HasField("started")
    return stream


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=float, default=120.0, help="time of filming")
    arguments = parser.parse_args()
    print(f"{measured_on(f'gRPC {grpc.__version__}')};")
    print(f"{1000 * SERVICE_SECS:g} ms an inference, {FPS:g} fps a camera.\n")
    for lines in (delay_table(arguments.secs), camera_table(), size_lines(), example_table()):
        for line in lines:
            print(line, flush=True)
        print()
    print("Load average: " + ", ".join(f"{each:.2f}" for each in os.getloadavg()) + ".")


if __name__ == "__main__":
    main()
