"""A server in a child process, on a loopback address."""

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
from posewire_cli.logs import are_logs_shown, show_logs
from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.transport.native_messages import limit_native_messages

# Beyond the grace period of calls in progress.
_STOP_TIMEOUT_SECS = 5.0


@dataclass(frozen=True, slots=True)
class _Ready:
    address: str


@dataclass(frozen=True, slots=True)
class _Failed:
    message: str


@contextmanager
def own_server(
    load: Callable[[], Sequence[ServedModel]], options: ServerOptions | None = None
) -> Iterator[str]:
    """Run a server until the block ends; yields its address.

    The server drains when the block ends, and stops if this process ends. It ignores Ctrl-C.
    `load` runs in the child process, so it must be picklable. Raises `OwnServerError` if the server
    cannot start.
    """
    options = options or ServerOptions(address="127.0.0.1:0")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=_serve, args=(load, options, sender, are_logs_shown()), daemon=True
    )
    _start_ignoring_interrupts(child)
    sender.close()
    try:
        yield _receive_address(receiver)
    finally:
        child.terminate()
        child.join(options.limits.life.drain_secs + _STOP_TIMEOUT_SECS)
        child.kill()
        child.join()
        child.close()
        receiver.close()


def _start_ignoring_interrupts(child: SpawnProcess) -> None:
    """Start the child with SIGINT blocked: it inherits the signal mask and keeps it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive_address(connection: Connection) -> str:
    try:
        message = connection.recv()
    except EOFError:
        raise OwnServerError("the server process ended while it was starting") from None
    if isinstance(message, _Failed):
        raise OwnServerError(message.message)
    address: str = message.address
    return address


def _serve(
    load: Callable[[], Sequence[ServedModel]],
    options: ServerOptions,
    connection: Connection,
    verbose: bool,
) -> None:
    if verbose:
        show_logs()
    keep_large_blocks()  # before other threads start
    limit_native_messages()
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        serve(load, options, ready=lambda address: connection.send(_Ready(address)))
    except (InputError, ModelError, OSError) as error:
        connection.send(_Failed(str(error)))


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a child"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
