"""The lifecycle of a serving process: listen, warm up, serve, drain on a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from posewire_server.serving.served_model import ServedModel
from posewire_server.serving.server import Server, ServerOptions

_LOG = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def serve(
    load: Callable[[], Sequence[ServedModel]],
    options: ServerOptions,
    *,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal has its default effect.

    `load` runs in a thread while the server already listens, so that health checks are answered.
    `ready` is called with the address once the models are warm.
    """
    server = Server(options)
    await server.start()
    try:
        with _first_signal() as signalled:
            loading = asyncio.create_task(asyncio.to_thread(_warm_models, load))
            stopping = asyncio.create_task(signalled.wait())
            await asyncio.wait([loading, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not signalled.is_set():
                await server.open(loading.result())
                ready(server.address)
                await stopping
            _LOG.info("draining for at most %g s", options.limits.life.drain_secs)
            await server.drain()
    finally:
        await server.stop()


def _warm_models(load: Callable[[], Sequence[ServedModel]]) -> Sequence[ServedModel]:
    models = load()
    for model in models:
        model.warm_up()
    return models


@contextmanager
def _first_signal() -> Iterator[asyncio.Event]:
    """Yield an event that the first signal sets; the next one has its default effect."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()

    def restore() -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)

    def set_event() -> None:
        restore()
        signalled.set()

    for each in _SIGNALS:
        loop.add_signal_handler(each, set_event)
    try:
        yield signalled
    finally:
        restore()
