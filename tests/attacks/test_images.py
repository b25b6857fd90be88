"""Hostile images against a server with the default limits.

Each attack prints the figures that it bounds: how much the server's memory grows at its peak, how
long the slowest honest call beside it takes, and how many lines the server writes to stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from posewire_client import Client, FrameFailure, InvalidArgumentError, Result
from tests.reference.hostile_images import (
    EVERY_HOSTILE_FILE,
    SIDE,
    largest_jpeg,
    largest_png,
)
from tests.reference.image_files import encoded
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import PEOPLE, stub_server

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell a process's memory"
)

NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
HONEST = encoded(NOISE, ".jpg")
# As many of a file at once as a server of capacity 1 decodes.
AT_ONCE = 3
# A message is held by the transport, as a request and as the bytes of its image.
COPIES = 6
SPARE = 48 << 20
# An honest call beside an attack waited 15 s and more before.
HANGS_SECS = 10
ANSWER_SECS = 120


@dataclass
class Attacked:
    server: ServerProcess
    client: Client
    stderr: IO[str]
    before: int

    @property
    def growth(self) -> int:
        return self.server.peak_resident_bytes - self.before

    def lines(self) -> list[str]:
        self.stderr.seek(0)
        return self.stderr.readlines()


@contextmanager
def attacked(stderr: Path) -> Iterator[Attacked]:
    with (
        stderr.open("w+") as file,
        stub_server(stderr=file) as server,
        Client(server.address) as client,
    ):
        for _ in range(AT_ONCE):
            assert len(client.estimate(HONEST).poses) == PEOPLE
        yield Attacked(server, client, file, server.peak_resident_bytes)


def slowest_beside(client: Client, futures: list[Future[str]]) -> float:
    """The longest time of honest calls, one after the other, until the others are done."""
    slowest = 0.0
    while True:
        done = all(future.done() for future in futures)
        started = time.monotonic()
        assert len(client.estimate(HONEST).poses) == PEOPLE
        slowest = max(slowest, time.monotonic() - started)
        if done:
            return slowest


def answer(client: Client, content: bytes) -> str:
    try:
        client.estimate(content, timeout_secs=ANSWER_SECS)
    except InvalidArgumentError as error:
        return str(error.reason)
    return "answered"


def attack(
    state: Attacked, name: str, content: bytes, report: Callable[[str], None]
) -> tuple[set[str], float]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(answer, state.client, content) for _ in range(AT_ONCE)]
        slowest = slowest_beside(state.client, futures)
    report(
        f"{name}: {len(content)} bytes, {AT_ONCE} at once: peak + {state.growth / 2**20:.0f} MiB, "
        f"honest call {slowest:.2f} s, {len(state.lines())} lines on stderr"
    )
    return {future.result() for future in futures}, slowest


@pytest.mark.parametrize("name", EVERY_HOSTILE_FILE)
def test_a_hostile_file_costs_little_more_than_its_bytes(
    name: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    content = EVERY_HOSTILE_FILE[name]()
    with attacked(tmp_path / "stderr") as state:
        answers, slowest = attack(state, name, content, report)
        assert answers <= {"IMAGE_UNDECODABLE", "answered"}
        assert state.growth < SPARE + AT_ONCE * COPIES * len(content)
        assert slowest < HANGS_SECS
        assert len(state.lines()) <= AT_ONCE


# Bytes for each pixel of the costliest files, of those that are decoded at once: large PNGs are
# decoded one at a time, and the pixels of the others wait.
@pytest.mark.parametrize(("build", "pixel_bytes"), [(largest_png, 24), (largest_jpeg, 48)])
def test_the_costliest_files_cost_their_pixels(
    build: Callable[[], bytes], pixel_bytes: int, tmp_path: Path, report: Callable[[str], None]
) -> None:
    content = build()
    with attacked(tmp_path / "stderr") as state:
        answers, slowest = attack(state, build.__name__, content, report)
        assert answers == {"answered"}
        assert state.growth < SPARE + pixel_bytes * SIDE * SIDE + AT_ONCE * COPIES * len(content)
        assert slowest < 3 * HANGS_SECS


def test_damaged_images_do_not_write_a_line_each(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    jpeg, png, webp, bmp = (encoded(NOISE, each) for each in (".jpg", ".png", ".webp", ".bmp"))
    middle = len(png) // 2
    damaged = (
        jpeg[: len(jpeg) // 2] + jpeg[-2:],
        jpeg[:20] + b"more" + jpeg[20:],
        png[:middle] + bytes([png[middle] ^ 1]) + png[middle + 1 :],
        webp[:200] + bytes(200) + webp[400:],
        bmp[:-1],
    )
    frames = list(chain.from_iterable(repeat(damaged, 200)))
    with attacked(tmp_path / "stderr") as state:
        outcomes = list(state.client.stream(frames))
        kinds = {type(each) for each in outcomes}
        report(f"{len(frames)} damaged frames: {len(state.lines())} lines on stderr")
        assert len(outcomes) == len(frames)
        assert kinds == {FrameFailure, Result}, "bytes between segments do no harm"
        assert len(state.lines()) < 20
