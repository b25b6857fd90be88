"""Load for a server: callers that send serialized requests and read nothing but their number.

A caller has a connection of its own, and one frame in flight.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from tests.bench.peers.request import PeerRequest

_SERVICE = "/posewire.v1.PoseService"
_START_SECS = 60
# A person has 17 keypoints, of which three floats take 15 bytes.
_LEAST_BYTES = 17 * 15


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


Caller = Callable[[_Count], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """Frames answered in a time, and the CPU time that the server's processes took for them."""

    frames: int
    secs: float
    cpu_secs: float

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.frames / self.secs

    @property
    def cpu_millis(self) -> float:
        """CPU time for one frame."""
        return 1000 * self.cpu_secs / max(1, self.frames)


async def run_turn(pids: Sequence[int], *, call: Caller, callers: int, secs: float) -> Turn:
    """Count the frames of this many callers, from when all of them have their first answer."""
    count = _Count(callers)
    running = asyncio.gather(*(call(count) for _ in range(callers)))
    starting = asyncio.create_task(count.all_ready.wait())
    await asyncio.wait([running, starting], timeout=_START_SECS, return_when="FIRST_COMPLETED")
    if running.done():
        await running
    assert count.all_ready.is_set(), "callers had no answer in time"
    began, answered, cpu_secs = time.perf_counter(), count.answered, _cpu_secs(pids)
    await asyncio.sleep(secs)
    turn = Turn(count.answered - answered, time.perf_counter() - began, _cpu_secs(pids) - cpu_secs)
    count.is_over = True
    await running
    return turn


def stream(address: str, image: image_pb2.Image) -> Caller:
    """Return a caller that sends all frames in one stream."""

    async def send(count: _Count) -> None:
        async with _channel(address) as channel:
            call: Any = channel.stream_stream(f"{_SERVICE}/StreamPoses")()
            config = stream_pb2.StreamConfig(max_frames_in_flight=1)
            await call.write(messages.StreamPosesRequest(config=config).SerializeToString())
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

    return send


def unary(address: str, image: image_pb2.Image) -> Caller:
    """Return a caller that sends each frame in a call of its own."""
    request = messages.EstimatePosesRequest(image=image).SerializeToString()

    async def send(count: _Count) -> None:
        async with _channel(address) as channel:
            call: Any = channel.unary_unary(f"{_SERVICE}/EstimatePoses")
            _check(messages.EstimatePosesResponse.FromString(await call(request)).poses)
            await _repeat(count, lambda: call(request))

    return send


def peer(request: PeerRequest) -> Caller:
    """Return a caller that repeats the request of another server."""

    async def send_by_grpc(count: _Count) -> None:
        async with _channel(request.address) as channel:
            call: Any = channel.unary_unary(request.path)
            _check_size(await call(request.body))
            await _repeat(count, lambda: call(request.body))

    async def send_by_http(count: _Count) -> None:
        host, _, port = request.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        _check_size(await _post(request, reader, writer))
        await _repeat(count, lambda: _post(request, reader, writer))
        writer.close()
        await writer.wait_closed()

    return send_by_http if request.content_type else send_by_grpc


def pids_of(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


async def _repeat(count: _Count, call: Callable[[], Awaitable[object]]) -> None:
    count.arrive()
    while not count.is_over:
        await call()
        count.answered += 1


async def _post(
    request: PeerRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    """Send a request over a connection that stays open, as a client of little cost."""
    head = (
        f"POST {request.path} HTTP/1.1\r\nHost: {request.address}\r\n"
        f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n\r\n"
    )
    writer.write(head.encode())
    writer.write(request.body)
    await writer.drain()
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert answer.startswith("http/1.1 200"), answer
    length = answer.partition("content-length:")[2].partition("\r\n")[0]
    return await reader.readexactly(int(length))


def _channel(address: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])


def _check(poses: object) -> None:
    assert poses, "got no poses, want those of the people in the image"


def _check_size(answer: bytes) -> None:
    assert len(answer) >= _LEAST_BYTES, f"got {answer!r}, want the poses of people"


def _cpu_secs(pids: Sequence[int]) -> float:
    """Return the CPU time of processes: their clocks as in `clock_getcpuclockid` of Linux."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)
