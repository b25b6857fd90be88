"""A tracked stream that moves to another server: both clients, real servers, and the ids."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_client import Result, TimedImage
from posewire_server.serving.server import ServerOptions
from tests.chaos.proxy import Proxy
from tests.reference.client_ways import Way
from tests.reference.colour_network import person_at
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import ServerThread, serving

SIDE = 192
FRAMES = 14
# A second person comes, the first leaves, the stream moves, a third person comes.
SECOND_COMES, FIRST_LEAVES, MOVES, THIRD_COMES = 2, 5, 8, 11


def people_of(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the people in the frame whose number is its brightness."""
    number = int(image[SIDE // 2, SIDE // 2, 0])
    presence = {
        (10, 20): number < FIRST_LEAVES,
        (100 + number, 20): number >= SECOND_COMES,
        (10, 120): number >= THIRD_COMES,
    }
    return np.stack([person_at(*place, 10) for place, is_there in presence.items() if is_there])


@dataclass(frozen=True, slots=True)
class Replicas:
    """Two servers, and a proxy before the first until it goes."""

    proxy: Proxy
    servers: tuple[ServerThread, ServerThread]
    runners: tuple[PaintingRunner, PaintingRunner]

    def kill(self) -> None:
        """End the first server in the middle of a message."""
        self.proxy.redirect(self.servers[1].address)
        self.proxy.cut()

    def drain(self) -> None:
        """Drain the first server, as SIGTERM does."""
        self.proxy.redirect(self.servers[1].address)
        self.servers[0].begin(self.servers[0].server.drain())


@contextmanager
def replicas(*keys: Path) -> Iterator[Replicas]:
    with ExitStack() as stack:
        runners = PaintingRunner(people_of), PaintingRunner(people_of)
        first, second = (
            stack.enter_context(
                serving(
                    painted_model(runner, size=SIDE),
                    options=ServerOptions(address="127.0.0.1:0", resume_key=key),
                )
            )
            for runner, key in zip(runners, keys, strict=True)
        )
        proxy = stack.enter_context(Proxy(first.address))
        yield Replicas(proxy, (first, second), runners)


def write_key(path: Path) -> Path:
    path.write_bytes(secrets.token_bytes(32))
    return path


def follow(way: Way, running: Replicas, move: Callable[[], None]) -> list[list[int]]:
    """Return the ids in each frame, sorted, of a stream that moves."""

    def frames() -> Iterator[TimedImage]:
        for number in range(FRAMES):
            if number == MOVES:
                move()
            yield TimedImage(np.full((SIDE, SIDE), number, np.uint8), number / 25)

    outcomes = way.stream(running.proxy.address, frames(), window=1, track=True)
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, FRAMES + 1)]
    assert all(runner.images for runner in running.runners)
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    return [sorted(pose.track_id or 0 for pose in each.poses) for each in results]


@pytest.mark.parametrize("move", [Replicas.kill, Replicas.drain])
def test_ids_survive_the_move_to_a_server_with_the_same_key(
    way: Way, tmp_path: Path, move: Callable[[Replicas], None]
) -> None:
    key = write_key(tmp_path / "resume.key")
    with replicas(key, key) as running:
        ids = follow(way, running, lambda: move(running))
    assert ids == [[1]] * 2 + [[1, 2]] * 3 + [[2]] * 6 + [[2, 3]] * 3


def test_ids_begin_anew_on_a_server_with_another_key(way: Way, tmp_path: Path) -> None:
    keys = (write_key(tmp_path / name) for name in ("one.key", "other.key"))
    with replicas(*keys) as running:
        ids = follow(way, running, running.kill)
    assert ids[MOVES - 2] == [2]
    assert ids[-1] == [1, 2]
