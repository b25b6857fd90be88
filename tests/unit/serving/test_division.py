"""The share of one of several processes in the limits of all."""

from __future__ import annotations

import pytest

from posewire_server.serving.errors import ListenError
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.transport.connections import ConnectionLimits
from posewire_server.serving.workers.division import divide_options
from posewire_server.serving.workers.supervisor import check_support


def test_totals_are_divided_and_rounded_up() -> None:
    limits = ServiceLimits(waiting=10, streams=64, streams_per_peer=7, held_bytes=1000)
    options = ServerOptions(limits=limits, connections=ConnectionLimits(count=100))
    part = divide_options(options, 3)
    assert part.processes == 3
    assert (part.limits.waiting, part.limits.held_bytes) == (4, 334)
    assert part.connections.count == 34
    # Counted together.
    assert (part.limits.streams, part.limits.streams_per_peer) == (64, 7)


def test_defaults_of_a_process_stay_defaults() -> None:
    part = divide_options(ServerOptions(), 2)
    assert part.limits.streams_per_peer is None
    assert part.connections.count is None


@pytest.mark.parametrize("address", [None, "127.0.0.1:9464"])
def test_the_parent_serves_the_metrics(address: str | None) -> None:
    observe = ObserveOptions(metrics_address=address, telemetry=True)
    part = divide_options(ServerOptions(observe=observe), 2).observe
    assert part.metrics_address is None
    assert part.keeps_metrics is (address is not None)
    assert part.telemetry


@pytest.mark.parametrize(
    ("processes", "address", "platform", "complaint"),
    [
        (2, "unix:/run/posewire.sock", "linux", "cannot share a Unix socket"),
        (1000, "127.0.0.1:0", "linux", "got 1000 processes, want at most "),
        (2, "127.0.0.1:0", "darwin", "only Linux"),
    ],
)
def test_what_processes_cannot_share_is_named(
    processes: int, address: str, platform: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    with pytest.raises(ListenError, match=complaint):
        check_support(processes, ServerOptions(address=address))
