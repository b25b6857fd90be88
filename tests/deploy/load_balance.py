"""Streams through a balancer to servers of unequal speed: `python -m tests.deploy.load_balance`.

Prints which part of the time each server was busy. With weights from load reports they are equally
busy; in turn, the slow ones have too much to do.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import grpc
import numpy as np

from posewire_client import AsyncClient
from tests.bench.machine import measured_on
from tests.deploy.envoy_process import envoy_process, install
from tests.reference.scrape import scrape, value
from tests.reference.server_process import server_process

CLIENTS = Path(__file__).parents[2] / "deploy/clients"
STUB = "tests.reference.stub_server"
ClientArguments: TypeAlias = tuple[str, list[tuple[str, str]]]
BALANCERS = ("weighted_round_robin", "round_robin", "envoy-weighted", "envoy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`service_secs`: of each server. `streams` open over `opening_secs`, with `rate` frames a
    second each, and are measured for `measured_secs` after that.
    """

    service_secs: Sequence[float] = (0.04, 0.12, 0.12)
    streams: int = 60
    rate: float = 0.45
    stream_age_secs: float = 10.0
    opening_secs: float = 60.0
    settling_secs: float = 12.0
    measured_secs: float = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """`metrics`: the address of its metrics."""

    address: str
    metrics: str

    def busy_secs(self) -> float:
        """Return how long its network has run so far."""
        return value(scrape(self.metrics), "posewire_stage_seconds_sum", stage="inference")

    def calls(self, method: str) -> float:
        """Return how many calls of a method it has answered."""
        return value(scrape(self.metrics), "grpc_server_handled_total", grpc_method=method)


@contextmanager
def servers(load: Load, folder: Path) -> Iterator[list[Server]]:
    """Run the servers until the block ends."""
    with ExitStack() as stack:
        running = []
        for number, secs in enumerate(load.service_secs):
            metrics = f"unix:{folder}/metrics{number}"
            arguments = ["--secs", str(secs), "--metrics-address", metrics]
            arguments += ["--load-reports", "--max-stream-age", str(load.stream_age_secs)]
            process = stack.enter_context(server_process(STUB, *arguments))
            running.append(Server(process.address, metrics))
        yield running


@contextmanager
def balanced(balancer: str, running: Sequence[Server], folder: Path) -> Iterator[ClientArguments]:
    """Yield the target and the options of a channel whose calls this balancer divides."""
    addresses = [each.address for each in running]
    if balancer.startswith("envoy"):
        install(folder / "envoy", addresses)
        with envoy_process(folder / f"envoy/{balancer}.yaml") as address:
            yield address, []
    else:
        config = (CLIENTS / f"{balancer}.json").read_text()
        yield f"ipv4:{','.join(addresses)}", [("grpc.service_config", config)]


async def utilizations(
    arguments: ClientArguments, running: Sequence[Server], load: Load
) -> list[float]:
    """Return which part of the time each server was busy, once the streams are open."""
    target, options = arguments
    async with AsyncClient(target, channel_options=options) as client:
        tasks = []
        for _ in range(load.streams):
            tasks.append(asyncio.create_task(stream(client, load)))
            await asyncio.sleep(load.opening_secs / load.streams)
        await asyncio.sleep(load.settling_secs)
        began, before = time.monotonic(), [each.busy_secs() for each in running]
        await asyncio.sleep(load.measured_secs)
        secs, after = time.monotonic() - began, [each.busy_secs() for each in running]
        for task in tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [(last - first) / secs for first, last in zip(before, after, strict=True)]


async def stream(client: AsyncClient, load: Load) -> None:
    """Send frames steadily until it is cancelled."""
    image = np.full((64, 64), 100, np.uint8)

    async def frames() -> AsyncIterator[np.ndarray]:
        due_at = time.monotonic()
        while True:
            yield image
            due_at += 1 / load.rate
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))

    async for _ in client.stream(frames()):
        pass


def run(balancer: str, load: Load) -> list[float]:
    """Return which part of the time each server was busy."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers(load, Path(name)) as running,
        balanced(balancer, running, Path(name)) as arguments,
    ):
        return asyncio.run(utilizations(arguments, running, load))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("balancers", nargs="*", default=BALANCERS, help=", ".join(BALANCERS))
    arguments = parser.parse_args()
    print(measured_on(f"grpcio {grpc.__version__}"))
    for balancer in arguments.balancers:
        if balancer.startswith("envoy") and shutil.which("envoy") is None:
            print(f"{balancer}: skipped, because it needs the program envoy")
            continue
        print(f"{balancer}:", *(f"{each:.0%}" for each in run(balancer, Load())), flush=True)


if __name__ == "__main__":
    main()
