"""How long callers were without an outcome during an event."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.mesh.clients import ClientProcess, wait_for_outcomes
from tests.mesh.events import Event, Mesh

# Streams that are moved later than others are still a part of the event.
_AFTER_SECS = 1.0
# The longest gap on a machine with nothing else to do: the time between two frames, twice.
_QUIET_SECS = 0.25
# With more, a server that is killed could be found by keepalive only, and nobody would notice.
_MAX_UNDISTURBED_SECS = 1.0


@dataclass(frozen=True, slots=True)
class Gaps:
    """The longest gap of the streams and of the unary calls of each client, in seconds.

    `undisturbed`: that of the client to whose server nothing happens. Where other programs have the
    processor it is longer than elsewhere. The others may then exceed their bounds by twice as much,
    once for the frame that fails and once for its repetition.
    """

    event: Event
    longest: dict[ClientProcess, tuple[float, float]]
    undisturbed: float

    @property
    def too_long(self) -> list[str]:
        if self.undisturbed > _MAX_UNDISTURBED_SECS:
            return [
                f"{self.event.name}: a client of another server had no outcome for "
                f"{self.undisturbed:.2f} s, expected at most {_MAX_UNDISTURBED_SECS:.2f} s; "
                "end the programs that keep this machine busy"
            ]
        delay = 2 * max(self.undisturbed - _QUIET_SECS, 0.0)
        bounds = {client: self.event.bound_for(client) + delay for client in self.longest}
        return [
            f"{self.event.name}: {client} had no outcome for {max(gaps):.2f} s, "
            f"expected less than {bounds[client]:.2f} s"
            for client, gaps in self.longest.items()
            if not max(gaps) < bounds[client]
        ]

    def row(self) -> str:
        cells = [f"{streams:.2f}, {unary:.2f}" for streams, unary in self.longest.values()]
        return f"| {self.event.name} | {' | '.join(cells)} | {self.undisturbed:.2f} |"


def heading(clients: list[ClientProcess]) -> str:
    """Return the first lines of a table whose other lines are rows of gaps."""
    names = [*map(str, clients), "undisturbed"]
    title = "| longest gap of streams, unary calls, s | "
    return f"{title}{' | '.join(names)} |\n|---{'|---' * len(names)}|"


def measure_gaps(event: Event, mesh: Mesh) -> Gaps:
    """Cause the event, wait until all callers go on, repair, and wait again."""
    began = time.monotonic()
    with event.act(mesh):
        wait_for_outcomes(mesh.clients)
    wait_for_outcomes(mesh.clients)
    time.sleep(_AFTER_SECS)
    ended = time.monotonic()
    return Gaps(
        event,
        {
            client: (
                max(record.longest_gap(began, ended) for record in client.streams),
                max(record.longest_gap(began, ended) for record in client.unary),
            )
            for client in mesh.clients
        },
        max(record.longest_gap(began, ended) for record in mesh.undisturbed.records.values()),
    )
