"""A client that sends frames until SIGTERM: `python -m tests.chaos.honest_client ADDRESS …`.

It prints READY when it has the first outcome. In the end it takes the outcomes that are left, and
prints its ledger as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from posewire_client import AsyncClient, Client, Delivery, Outcome, Tls
from tests.chaos.ledger import Ledger
from tests.chaos.numbered_image import numbered_image

WORK = ("lossless", "latest", "unary")
# The frames in a second that each of these tries to send. A LATEST stream sends more than it is
# given turns for, so that frames are superseded.
RATES = {"lossless": 15.0, "latest": 60.0, "unary": 10.0}
# Long, because no outcome may depend on how busy the machine is.
PATIENCE_SECS = 300.0
READY = "ready"


class StreamOptions(TypedDict):
    delivery: Delivery
    track: bool


class BlockingWork:
    """Sends frames through `Client`."""

    def __init__(self, ledger: Ledger, work: str) -> None:
        self._ledger = ledger
        self._work = work
        self._stopped = threading.Event()

    def run(self, address: str, tls: Tls) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._stopped.set())
        with Client(
            address, tls=tls, timeout_secs=PATIENCE_SECS, retry_for_secs=PATIENCE_SECS
        ) as client:
            if self._work == "unary":
                for frame in self._frames():
                    result = client.estimate(frame)
                    record(self._ledger, replace(result, frame_id=self._ledger.sent))
                return
            for outcome in client.stream(self._frames(), **stream_options(self._work)):
                record(self._ledger, outcome)

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        while not self._stopped.wait(1 / RATES[self._work]):
            yield numbered_image(self._ledger.send())


class AsyncWork:
    """Sends frames through `AsyncClient`."""

    def __init__(self, ledger: Ledger, work: str) -> None:
        self._ledger = ledger
        self._work = work
        self._stopped = asyncio.Event()

    async def run(self, address: str, tls: Tls) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopped.set)
        async with AsyncClient(
            address, tls=tls, timeout_secs=PATIENCE_SECS, retry_for_secs=PATIENCE_SECS
        ) as client:
            if self._work == "unary":
                async for frame in self._frames():
                    result = await client.estimate(frame)
                    record(self._ledger, replace(result, frame_id=self._ledger.sent))
                return
            outcomes = client.stream(self._frames(), **stream_options(self._work))
            async for outcome in outcomes:
                record(self._ledger, outcome)

    async def _frames(self) -> AsyncIterator[NDArray[np.uint8]]:
        while not self._stopped.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1 / RATES[self._work])
                return
            yield numbered_image(self._ledger.send())


def record(ledger: Ledger, outcome: Outcome) -> None:
    """Record an outcome, and print READY at the first one."""
    ledger.record(outcome)
    if ledger.outcomes.total() == 1:
        print(READY, flush=True)


def stream_options(work: str) -> StreamOptions:
    """Return the options of a stream. Lossless ones have tracks, which outlive a connection."""
    if work == "latest":
        return {"delivery": Delivery.LATEST, "track": False}
    return {"delivery": Delivery.LOSSLESS, "track": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--work", choices=WORK, required=True)
    parser.add_argument("--is-async", action="store_true")
    parser.add_argument("--roots", type=Path, required=True, help="certificates, PEM")
    arguments = parser.parse_args()
    ledger = Ledger(allows_skips=arguments.work == "latest")
    tls = Tls(root_certificates=arguments.roots.read_bytes())
    try:
        if arguments.is_async:
            asyncio.run(AsyncWork(ledger, arguments.work).run(arguments.address, tls))
        else:
            BlockingWork(ledger, arguments.work).run(arguments.address, tls)
        ledger.close()
    except Exception as error:  # noqa: BLE001 reported in the ledger
        ledger.fail(error)
    print(ledger.to_json(), flush=True)


if __name__ == "__main__":
    main()
