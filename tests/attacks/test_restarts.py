"""A server that is restarted again and again on the same port costs no frame.

RESTARTS=100 python -m pytest tests/attacks/test_restarts.py restarts it a hundred times.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_client import AsyncClient, Client, Outcome, Result
from tests.reference.restarting_server import RestartingServer
from tests.reference.waiting import wait_until

RESTARTS = int(os.environ.get("RESTARTS", "8"))
# A restart that lets a stream go on takes a second or two.
PATIENCE_SECS = 120
WIDTHS = 97  # prime, and far more than a window
COMMAND_FRAMES = 150


def numbered_frame(number: int) -> np.ndarray:
    """An image whose width tells its number."""
    return np.full((64, 64 + number % WIDTHS, 3), 7, np.uint8)


class Stream:
    """A stream of numbered frames in a thread, until `finish`."""

    def __init__(self, run: Callable[[Stream], None]) -> None:
        self.sent = 0
        self.outcomes: list[Outcome] = []
        self.error: BaseException | None = None
        self._is_finishing = False
        self._thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[np.ndarray]:
        while not self._is_finishing:
            self.sent += 1
            yield numbered_frame(self.sent)

    def finish(self) -> None:
        self._is_finishing = True
        self._thread.join(PATIENCE_SECS)
        assert not self._thread.is_alive()

    def _run(self, run: Callable[[Stream], None]) -> None:
        try:
            run(self)
        except BaseException as error:  # noqa: BLE001 - checked by the test
            self.error = error

    def check(self) -> None:
        """Every frame has its own result, in order."""
        assert self.error is None, self.error
        assert len(self.outcomes) == self.sent
        for number, outcome in enumerate(self.outcomes, start=1):
            assert isinstance(outcome, Result), outcome
            assert outcome.frame_id == number
            assert outcome.image_width == 64 + number % WIDTHS


def blocking(address: str) -> Stream:
    def run(stream: Stream) -> None:
        with Client(address) as client:
            for outcome in client.stream(stream.frames()):
                stream.outcomes.append(outcome)

    return Stream(run)


def awaiting(address: str) -> Stream:
    async def consume(stream: Stream) -> None:
        async def frames() -> AsyncIterator[np.ndarray]:
            for frame in stream.frames():
                yield frame

        async with AsyncClient(address) as client:
            async for outcome in client.stream(frames()):
                stream.outcomes.append(outcome)

    return Stream(lambda stream: asyncio.run(consume(stream)))


class Command:
    """Runs of `posewire stream` over the same video, one after the other."""

    def __init__(self, address: str, video: Path) -> None:
        self.lines = 0
        self.runs = 0
        self.faults: list[str] = []
        # A run may begin while the server is away: the first connection has as much time, too.
        patience = ["--retry-for", "60"]
        self._arguments = ["stream", "--server", address, *patience, "--json", str(video)]
        self._is_finishing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Finish the run in progress."""
        self._is_finishing = True
        self._thread.join(PATIENCE_SECS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._is_finishing:
            self._run_once()
            self.runs += 1

    def _run_once(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "posewire_cli", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            answered = []
            for line in process.stdout:
                record = json.loads(line)
                answered.append((record["frame"], record["outcome"]))
                self.lines += 1
            _, err = process.communicate()
        if process.returncode or answered != [(i, "result") for i in range(COMMAND_FRAMES)]:
            self.faults.append(f"exit {process.returncode}, {len(answered)} answered: {err}")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 64))
    for _ in range(COMMAND_FRAMES):
        writer.write(np.full((64, 64, 3), 30, np.uint8))
    writer.release()
    return path


def test_restarts_cost_no_frame(video: Path, report: Callable[[str], None]) -> None:
    draw = random.Random(0)
    began = time.monotonic()
    with RestartingServer(secs=0.01) as server:
        streams = [blocking(server.address), awaiting(server.address)]
        command = Command(server.address, video)

        def progress() -> list[int]:
            return [*(len(stream.outcomes) for stream in streams), command.lines]

        def wait_for_progress(before: list[int]) -> None:
            def has_progressed() -> bool:
                assert command.faults == []
                assert [stream.error for stream in streams] == [None, None]
                return all(now > 2 + old for now, old in zip(progress(), before, strict=True))

            wait_until(has_progressed, patience_secs=PATIENCE_SECS)

        for i in range(RESTARTS):
            wait_for_progress(progress())
            time.sleep(draw.uniform(0, 0.05))
            server.restart(signal.SIGKILL if i % 4 == 3 else signal.SIGTERM)
        wait_for_progress(progress())
        for each in (*streams, command):
            each.finish()
    for stream in streams:
        stream.check()
    assert command.faults == []
    answered = sum(len(stream.outcomes) for stream in streams)
    report(
        f"{RESTARTS} restarts in {time.monotonic() - began:.0f} s: {answered} frames of two "
        f"streams and {command.runs} runs of the command, none lost"
    )
