"""Load for a server: callers that send serialized requests and read nothing but their number.

A caller has a connection of its own, and one frame in flight.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages

_SERVICE = "/posewire.v1.PoseService"
_START_SECS = 60


@dataclass(slots=True)
class _Count:
    """What the callers of one turn have in common."""

    callers: int
    answered: int = 0
    ready: int = 0
    all_ready: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def arrive(self) -> None:
        """Record that a caller has its first answer."""
        self.ready += 1
        if self.ready == self.callers:
            self.all_ready.set()


_Caller = Callable[[grpc.aio.Channel, image_pb2.Image, _Count], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """Frames answered in a time, and the CPU time that the server's process took for them."""

    frames: int
    secs: float
    cpu_secs: float


async def run_turn(
    address: str, pid: int, *, call: _Caller, image: image_pb2.Image, callers: int, secs: float
) -> Turn:
    """Count the frames of this many callers, from when all of them have their first answer."""
    count = _Count(callers)
    channels = [
        grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(callers)
    ]
    running = asyncio.gather(*(call(channel, image, count) for channel in channels))
    starting = asyncio.create_task(count.all_ready.wait())
    await asyncio.wait([running, starting], timeout=_START_SECS, return_when="FIRST_COMPLETED")
    assert count.all_ready.is_set(), "callers ended before they had an answer"
    began, answered, cpu_secs = time.perf_counter(), count.answered, _cpu_secs(pid)
    await asyncio.sleep(secs)
    turn = Turn(count.answered - answered, time.perf_counter() - began, _cpu_secs(pid) - cpu_secs)
    count.is_over = True
    await running
    await asyncio.gather(*(channel.close() for channel in channels))
    return turn


async def stream(channel: grpc.aio.Channel, image: image_pb2.Image, count: _Count) -> None:
    """All frames in one stream."""
    call: Any = channel.stream_stream(f"{_SERVICE}/StreamPoses")()
    config = messages.StreamPosesRequest(config=stream_pb2.StreamConfig(max_frames_in_flight=1))
    await call.write(config.SerializeToString())
    started = messages.StreamPosesResponse.FromString(await call.read())
    assert started.HasField("started"), started
    for frame_id in itertools.count(1):
        frame = stream_pb2.Frame(frame_id=frame_id, image=image)
        await call.write(messages.StreamPosesRequest(frame=frame).SerializeToString())
        response = await call.read()
        if frame_id == 1:
            _check(messages.StreamPosesResponse.FromString(response).outcome.result.poses)
            count.arrive()
        count.answered += 1
        if count.is_over:
            break
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def unary(channel: grpc.aio.Channel, image: image_pb2.Image, count: _Count) -> None:
    """Each frame in a call of its own."""
    call: Any = channel.unary_unary(f"{_SERVICE}/EstimatePoses")
    request = messages.EstimatePosesRequest(image=image).SerializeToString()
    _check(messages.EstimatePosesResponse.FromString(await call(request)).poses)
    count.arrive()
    while not count.is_over:
        await call(request)
        count.answered += 1


def _check(poses: object) -> None:
    assert poses, "got no poses, want those of the people in the image"


def _cpu_secs(pid: int) -> float:
    """Return the CPU time of a process: its clock as in `clock_getcpuclockid` of Linux."""
    return time.clock_gettime((~pid << 3) | 2)
