"""The options of one of several processes: its share of the limits that hold for all of them."""

from __future__ import annotations

from dataclasses import replace

from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import ServerOptions


def divide_options(options: ServerOptions, processes: int) -> ServerOptions:
    """Return the options of one process.

    What fills its own queues and memory is divided and rounded up. Streams are counted together.
    Its metrics are those that the parent collects.
    """

    def part(total: int) -> int:
        return -(-total // processes)

    limits, connections = options.limits, options.connections
    return replace(
        options,
        processes=processes,
        limits=replace(
            limits,
            waiting=part(limits.waiting),
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
