"""The options of one of several processes: its share of the limits that hold for all of them."""

from __future__ import annotations

from dataclasses import replace

from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import ServerOptions


def divide_options(options: ServerOptions, processes: int) -> ServerOptions:
    """Return the options of one process; limits on numbers and bytes are divided, rounded up.

    Its metrics are those that the parent collects. Quotas of tokens are divided by the server.
    """

    def part(total: int) -> int:
        return -(-total // processes)

    limits, connections = options.limits, options.connections
    per_peer = limits.streams_per_peer
    return replace(
        options,
        processes=processes,
        limits=replace(
            limits,
            waiting=part(limits.waiting),
            streams=part(limits.streams),
            streams_per_peer=None if per_peer is None else part(per_peer),
            held_bytes=part(limits.held_bytes),
        ),
        connections=replace(
            connections, count=None if connections.count is None else part(connections.count)
        ),
        observe=ObserveOptions(
            keeps_metrics=options.observe.metrics_address is not None,
            telemetry=options.observe.telemetry,
        ),
    )
