"""The processes that the benchmark of serving starts, and loads for them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import grpc

from posewire.v1 import image_pb2
from tests.bench import serving_load
from tests.bench.machine import ROOT
from tests.bench.peers import answers, environments
from tests.bench.peers.request import PeerRequest
from tests.bench.serving_load import Turn, pids_of, run_turn

_END_SECS = 10
_START_SECS = 300


@dataclass(frozen=True, slots=True)
class Server:
    """A running process: `address` is the first line that it printed."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def running(
    command: Sequence[str], *, root: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run a program until the block ends, with these variables besides those of this process."""
    with subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = _pipe(process.stdout).readline().strip()
            assert address, f"{command} ended before it was ready"
            yield Server(address, process)
        finally:
            _end(process)


@contextmanager
def running_peer(peer: str, network: str) -> Iterator[Server]:
    """Run the server of a peer with a network of `tests.bench.peers.answers`."""
    command = [environments.python_of(peer), "-m", f"tests.bench.peers.{peer}"]
    environment = {"PYTHONPATH": environments.python_path(), answers.NETWORK: network}
    with running(command, root=ROOT, environment=environment) as server:
        _wait_for_answer(server)
        yield server


def loaded(
    server: Server, image: image_pb2.Image, callers: int, way: str
) -> Callable[[float], Turn]:
    """Return a function that puts load on a server of ours for some seconds."""
    call = {"stream": serving_load.stream, "unary": serving_load.unary}[way]
    return _turns(server, call(server.address, image), callers)


def loaded_peer(server: Server, callers: int) -> Callable[[float], Turn]:
    """Return a function that puts load on a peer for some seconds."""
    return _turns(server, serving_load.peer(PeerRequest.announced(server.address)), callers)


def looped(server: Server) -> Callable[[float], Turn]:
    """Return a function that runs the network for some seconds."""

    def take_turn(secs: float) -> Turn:
        print(secs, file=_pipe(server.process.stdin), flush=True)
        rate = float(_pipe(server.process.stdout).readline())
        return Turn(round(rate * secs), secs, 0.0)

    return take_turn


def _turns(server: Server, call: serving_load.Caller, callers: int) -> Callable[[float], Turn]:
    def take_turn(secs: float) -> Turn:
        pids = pids_of(server.process.pid)
        return asyncio.run(run_turn(pids, call=call, callers=callers, secs=secs))

    return take_turn


def _wait_for_answer(server: Server) -> None:
    """Wait until a peer answers; it announces its address before it listens there."""
    take_turn = loaded_peer(server, 1)
    give_up_at = time.monotonic() + _START_SECS
    while True:
        try:
            take_turn(0.0)
        except (OSError, AssertionError, asyncio.IncompleteReadError, grpc.aio.AioRpcError):
            if server.process.poll() is not None or time.monotonic() > give_up_at:
                raise
            time.sleep(0.5)
        else:
            return


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its descendants, which some servers leave behind if they are killed."""
    pids = pids_of(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECS)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
