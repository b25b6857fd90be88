"""The throughput of one server and of several, through Envoy and without it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mesh.clients import ENVOY, Load, client_group
from tests.mesh.envoy import Envoy
from tests.mesh.servers import PoseServer

MIN_SCALING = 3.6  # with four servers
# As many frames as the servers take.
_LOAD = Load(streams=4, unary=0, interval_secs=0.0)
_MEASURE_SECS = 4.0
# Envoy takes notice of its endpoint file, and of the health of its servers.
_NOTICE_SECS = 2.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """Results in a second, of the clients of both languages together.

    `violations`: frames without exactly one outcome in order.
    """

    way: str
    servers: int
    one: float
    all: float
    violations: list[str]

    def __str__(self) -> str:
        rates = f"{self.one:.1f} frames/s with 1 server, {self.all:.1f} with {self.servers}"
        return f"{self.way}: {rates}: {self._times:.2f} times"

    @property
    def is_enough(self) -> bool:
        return self._times >= MIN_SCALING

    @property
    def _times(self) -> float:
        return self.all / max(self.one, 1e-9)


def measure_scaling(way: str, envoy: Envoy, servers: Sequence[PoseServer], log: Path) -> Scaling:
    """Measure the throughput of the first server and of all; the log is that of the clients."""
    addresses = [server.address for server in servers]
    rates = []
    violations: list[str] = []
    for used in (addresses[:1], addresses):
        if way == ENVOY:
            envoy.list_servers(used)
            time.sleep(_NOTICE_SECS)
        rates.append(_rate(way, [envoy.address] if way == ENVOY else used, violations, log))
    return Scaling(way, len(servers), *rates, violations)


def _rate(way: str, addresses: Sequence[str], violations: list[str], log: Path) -> float:
    with client_group({way: addresses}, _LOAD, log) as clients:
        since = time.monotonic()
        time.sleep(_MEASURE_SECS)
        until = time.monotonic()
        for client in clients:
            client.stop()
            violations += client.violations
        records = [record for client in clients for record in client.streams]
        return sum(record.count(since, until) for record in records) / (until - since)
