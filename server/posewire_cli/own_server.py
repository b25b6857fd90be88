"""A server of this process's own: a child process that serves on loopback while it is needed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from posewire_cli.errors import OwnServerError
from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError
from posewire_server.serving.allocator import keep_large_blocks
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.served_model import ServedModel
from posewire_server.serving.server import ServerOptions

# Beyond what the server gives the calls that are under way.
_PATIENCE_SECS = 5.0


@dataclass(frozen=True, slots=True)
class _Ready:
    address: str


@dataclass(frozen=True, slots=True)
class _Failed:
    complaint: str


@contextmanager
def own_server(
    load: Callable[[], Sequence[ServedModel]], options: ServerOptions | None = None
) -> Iterator[str]:
    """The address of a server that answers until the block ends, and that outlives nobody.

    `load` runs in the child, so it has to be picklable. The child does not see the terminal's
    Ctrl-C; it drains when the block ends or when this process does. Raises `OwnServerError` if the
    server cannot start.
    """
    options = options or ServerOptions(address="127.0.0.1:0")
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    child = spawning.Process(target=_serve, args=(load, options, theirs), daemon=True)
    _start_without_interrupts(child)
    theirs.close()
    try:
        yield _address(ours)
    finally:
        child.terminate()
        child.join(options.limits.life.drain_secs + _PATIENCE_SECS)
        child.kill()
        child.join()
        child.close()
        ours.close()


def _start_without_interrupts(child: SpawnProcess) -> None:
    """A child begins with the mask of its parent, and this one keeps it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _address(connection: Connection) -> str:
    try:
        news = connection.recv()
    except EOFError:
        raise OwnServerError("its process ended while it was starting") from None
    if isinstance(news, _Failed):
        raise OwnServerError(news.complaint)
    address: str = news.address
    return address


def _serve(
    load: Callable[[], Sequence[ServedModel]], options: ServerOptions, connection: Connection
) -> None:
    keep_large_blocks()  # before anything starts a thread
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(load, options, ready=lambda address: connection.send(_Ready(address)))
    except (InputError, ModelError, OSError) as error:
        connection.send(_Failed(str(error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a child"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
