"""The lifecycle of a serving process: listen, warm up, serve, drain on a signal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, NoReturn

from posewire_server.serving.frames.model_reload import ReadModels
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.reloads import Reloads
from posewire_server.serving.server import Server, ServerOptions

_LOG = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Load = Callable[[], Sequence[ServedModel]]


def serve(
    load: Load,
    options: ServerOptions,
    *,
    ready: Callable[[str], None],
    read_models: ReadModels | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    SIGHUP reloads certificates and tokens, and with `read_models` the models.
    `load` runs in a thread while the server already listens, so that health checks are answered.
    `ready` is called with the address once the models are warm. If an inference or `load` is still
    running after the grace period, this ends the process instead of waiting for it.
    """
    if asyncio.run(_serve(load, options, ready, read_models)):
        end_process(0)


async def _serve(
    load: Load,
    options: ServerOptions,
    ready: Callable[[str], None],
    read_models: ReadModels | None,
) -> bool:
    """Return whether a thread is still busy afterwards."""
    with first_signal() as signalled:
        server = Server(options, read_models=read_models)
        await server.start()
        try:
            with _hangups(server.reloads):
                return await run_server(server, LoadingThread(load), signalled, ready)
        except BaseException:
            await server.stop()
            raise


async def run_server(
    server: Server,
    loading: LoadingThread,
    signalled: asyncio.Event,
    ready: Callable[[str], None],
) -> bool:
    """Serve what is loaded until the signal; return whether a thread is still busy then."""
    stopping = asyncio.create_task(signalled.wait())
    either: list[asyncio.Future[Any]] = [loading.done, stopping]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not signalled.is_set():
        await server.open(loading.done.result())
        ready(server.address)
        await stopping
    await server.drain()
    await server.stop()
    return server.is_busy or server.reloads.is_busy or not loading.done.done()


class LoadingThread:
    """Loads and warms models in a thread that the process does not wait for."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Sequence[ServedModel]] = self._loop.create_future()
        threading.Thread(target=self._run, name="load", daemon=True).start()

    def _run(self) -> None:
        try:
            began = monotonic()
            models = self._load()
            for model in models:
                model.warm_up()
            names = ", ".join(model.name for model in models)
            _LOG.info("loaded and warmed up %s in %.1f s", names, monotonic() - began)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            self._settle(self.done.set_exception, error)
        else:
            self._settle(self.done.set_result, models)

    def _settle(self, settle: Callable[..., None], value: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(settle, value)


@contextmanager
def first_signal(before_end: Callable[[], object] | None = None) -> Iterator[asyncio.Event]:
    """Yield an event that the first signal sets; the next one ends the process."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()

    def handle(number: int) -> None:
        _LOG.info("received %s", signal.Signals(number).name)
        if signalled.is_set():
            if before_end is not None:
                before_end()
            end_process(128 + number)
        signalled.set()

    for each in _SIGNALS:
        # The event loop forgets signals that do not fit into its pipe, as in a flood of others.
        # Python does not: its own handler runs as soon as the loop does, which this wakes.
        loop.add_signal_handler(each, lambda: None)
        signal.signal(each, lambda number, _: loop.call_soon_threadsafe(handle, number))
        signal.siginterrupt(each, False)
    try:
        yield signalled
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


@contextmanager
def _hangups(reloads: Reloads) -> Iterator[None]:
    """Let SIGHUP reload the sources; without any it ends the process, as a closed terminal does."""
    if not reloads.has_sources:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reloads.request)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def end_process(code: int) -> NoReturn:
    """End the process without waiting for its threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
