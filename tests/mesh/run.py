"""Many servers on a network of their own, through Envoy and without it: `make mesh`.

Five hosts for servers and one for Envoy have a network namespace each and a cable to a bridge.
Clients in Python and Go run outside of them. Each has four streams and one caller of unary calls;
one client of each language calls Envoy, and one chooses among the servers itself, as
docs/deployment.md describes. The runner of the servers takes a fixed time for an image and no
processor, so that two cores are enough.

1. Four servers have at least 3.6 times the throughput of one.
2. While servers and Envoy are killed, hang, restart and join (tests/mesh/events.py), every frame of
   a stream has exactly one outcome at its client, in order, and no unary call fails. The longest
   time without an outcome is printed for each event, and is bounded. While other programs have
   the processor, a client of a server to which nothing happens has longer gaps too. The bounds are
   then longer, and if its gap is above a second, the event has missed them. An event that misses
   its bound is tried again, twice at most.
3. The same when a server is killed that runs the bundled model, at a lower rate.

The network needs a kernel that permits namespaces, but no root; `python -m tests.mesh.conditions`
prints what is missing. Nothing outlives the run, however it ends. The logs are left in build/mesh.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.mesh.clients import (
    DIRECT,
    ENVOY,
    PYTHON,
    UNDISTURBED,
    ClientProcess,
    Load,
    client_group,
)
from tests.mesh.conditions import obstacles_to_mesh
from tests.mesh.envoy import Envoy
from tests.mesh.events import BUNDLED_EVENT, EVENTS, Event, Mesh
from tests.mesh.gaps import Gaps, heading, measure_gaps
from tests.mesh.namespaces import run_inside, watch_parent
from tests.mesh.network import Network
from tests.mesh.servers import PoseServer, bundled, stub
from tests.mesh.throughput import MIN_SCALING, measure_scaling

_SERVERS = 4  # and one more, which joins them
_FOLDER = Path("build/mesh").absolute()
_CLIENT_LOG = _FOLDER / "clients.log"
_LOAD = Load(streams=4, unary=1, interval_secs=0.125)
# The bundled model is bound by the processor, which all servers share here.
_BUNDLED_LOAD = Load(streams=4, unary=1, interval_secs=0.5)
_APART_LOAD = Load(streams=1, unary=1, interval_secs=0.125)
_ATTEMPTS = 3


class Run:
    """The hosts and what runs on them, until the stack is closed; `failures` is what went wrong."""

    def __init__(self, stack: ExitStack, envoy: Path) -> None:
        self._stack = stack
        network = stack.enter_context(Network())
        self._hosts = [network.add_host(f"server{n}", 10 + n) for n in range(1, _SERVERS + 2)]
        other = network.add_host("undisturbed", 99)
        command = stub(people=1, capacity=2, secs=0.02)
        self._undisturbed = PoseServer(other, command, _FOLDER / "undisturbed.log")
        stack.callback(self._undisturbed.kill)
        self._undisturbed.start()
        self._undisturbed.wait_until_ready()
        self._envoy = Envoy(network.add_host("envoy", 100), envoy, _FOLDER / "envoy")
        stack.callback(self._envoy.kill)
        self._envoy.start()
        self.failures: list[str] = []

    def check_throughput(self) -> None:
        commands = [stub(people=1, capacity=1, secs=0.1) for _ in self._hosts[:-1]]
        with ExitStack() as stack:
            servers = self._start(stack, commands)
            for way in (ENVOY, DIRECT):
                self._measure_scaling(way, servers)

    def check_events(self) -> None:
        """Cause all events, with servers that take 20 ms for an image, two at a time."""
        numbers = range(1, len(self._hosts) + 1)
        commands = [stub(people=number, capacity=2, secs=0.02) for number in numbers]
        with ExitStack() as stack:
            servers = self._start(stack, commands[:-1])
            last = PoseServer(self._hosts[-1], commands[-1], _FOLDER / "server5.log")
            stack.callback(last.kill)
            self._watch([*servers, last], EVENTS, _LOAD)

    def check_bundled_model(self) -> None:
        with ExitStack() as stack:
            servers = self._start(stack, [bundled() for _ in self._hosts[:-1]])
            self._watch(servers, [BUNDLED_EVENT], _BUNDLED_LOAD)

    def _measure_scaling(self, way: str, servers: list[PoseServer]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            scaling = measure_scaling(way, self._envoy, servers, _CLIENT_LOG)
            print(f"mesh: {scaling}", flush=True)
            self.failures += scaling.violations
            if scaling.is_enough:
                return
            if attempt < _ATTEMPTS:
                print("mesh: once more", flush=True)
        self.failures.append(f"{scaling}, expected at least {MIN_SCALING} times")

    def _start(self, stack: ExitStack, commands: list[list[str]]) -> list[PoseServer]:
        """Run these servers until the stack is closed."""
        servers = [
            PoseServer(host, command, _FOLDER / f"{host.name}.log")
            for host, command in zip(self._hosts, commands, strict=False)
        ]
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.wait_until_ready()
        self._envoy.list_servers([server.address for server in servers])
        return servers

    def _watch(self, servers: list[PoseServer], events: Sequence[Event], load: Load) -> None:
        """Print the gaps of each event."""
        ways = {ENVOY: [self._envoy.address], DIRECT: [server.address for server in servers]}
        apart = {UNDISTURBED: [self._undisturbed.address]}
        with (
            client_group(ways, load, _CLIENT_LOG) as clients,
            client_group(apart, _APART_LOAD, _CLIENT_LOG, languages=[PYTHON]) as undisturbed,
        ):
            mesh = Mesh(self._envoy, servers, clients, *undisturbed)
            print(heading(clients), flush=True)
            for event in events:
                self._measure(event, mesh)
            self._stop(clients)

    def _measure(self, event: Event, mesh: Mesh) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            gaps: Gaps = measure_gaps(event, mesh)
            print(gaps.row(), flush=True)
            if not gaps.too_long:
                return
            if attempt < _ATTEMPTS:
                print(f"mesh: once more: {'; '.join(gaps.too_long)}", flush=True)
        self.failures += gaps.too_long

    def _stop(self, clients: list[ClientProcess]) -> None:
        for client in clients:
            client.stop()
            self.failures += client.violations
            counts = [
                sum(len(each.times) for each in kind) for kind in (client.streams, client.unary)
            ]
            print(f"mesh: {client}: {counts[0]} frames of streams, {counts[1]} unary calls")


def _run(envoy: Path) -> list[str]:
    """Return what went wrong."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        run = Run(stack, envoy)
        for check in (run.check_throughput, run.check_events, run.check_bundled_model):
            began = time.monotonic()
            try:
                check()
            except (RuntimeError, TimeoutError) as error:
                run.failures.append(str(error))
            name = check.__name__.replace("_", " ")
            print(f"mesh: {name}: {time.monotonic() - began:.0f} s", flush=True)
    return run.failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envoy", type=Path, required=True, help="its binary")
    parser.add_argument("--inside", action="store_true", help="of the namespaces already")
    arguments = parser.parse_args()
    if not arguments.inside:
        if obstacles := obstacles_to_mesh(arguments.envoy):
            sys.exit("mesh: cannot run: " + "; ".join(obstacles))
        sys.exit(run_inside([sys.executable, "-m", "tests.mesh.run", "--inside", *sys.argv[1:]]))
    watch_parent()
    failures = _run(arguments.envoy.absolute())
    for failure in failures:
        print(f"mesh: FAILED: {failure}", flush=True)
    if failures:
        sys.exit(1)
    print("mesh: every frame had exactly one outcome, in order; no unary call failed")


if __name__ == "__main__":
    main()
