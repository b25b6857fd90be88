"""What happens to servers and to Envoy. The block of an event is the time until it is repaired."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.mesh.clients import DIRECT, GO, ClientProcess
from tests.mesh.envoy import Envoy
from tests.mesh.servers import PoseServer

_QUICK_SECS, _BOUND_SECS = 0.5, 5.0
# gRPC for Go pings a silent server after 10 seconds at the earliest, and waits 2 for the answer.
_GO_HANG_SECS = 15.0
# From the start of a server until all send calls to it.
_JOIN_SECS = 2.0
_PATIENCE_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Mesh:
    """`servers`: those that run, and last one that has not been started. They see as many people
    as their number. `undisturbed`: a client of another server, to which nothing happens."""

    envoy: Envoy
    servers: Sequence[PoseServer]
    clients: Sequence[ClientProcess]
    undisturbed: ClientProcess

    def busy_server(self) -> PoseServer:
        """Return the server with most streams among those with a stream of each client."""
        ends = time.monotonic() + _PATIENCE_SECS
        while True:
            counts = [self._streams_on(number) for number in range(1, len(self.servers) + 1)]
            if fullest := max((each for each in counts if min(each)), key=sum, default=None):
                return self.servers[counts.index(fullest)]
            if time.monotonic() > ends:
                raise TimeoutError(f"no server has a stream of each client: {counts}")
            time.sleep(0.1)

    def wait_until_used(self, server: PoseServer) -> None:
        """Wait until clients of each way have had a stream on this server."""
        number = self.servers.index(server) + 1
        ends = time.monotonic() + _PATIENCE_SECS
        waiting = {client.way for client in self.clients}
        while waiting:
            if time.monotonic() > ends:
                raise TimeoutError(f"{server.host.name} gets no streams: {', '.join(waiting)}")
            time.sleep(0.1)
            counts = zip(self.clients, self._streams_on(number), strict=True)
            waiting -= {client.way for client, count in counts if count}

    def _streams_on(self, number: int) -> list[int]:
        """Return how many streams of each client had their last outcome from this server."""
        return [
            sum(record.answers[-1].people == number for record in client.streams)
            for client in self.clients
        ]


Act = Callable[[Mesh], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Event:
    """`bound_secs`: the longest that a caller may be without an outcome."""

    name: str
    act: Act
    bound_secs: float

    def bound_for(self, client: ClientProcess) -> float:
        if self.act is hang and (client.way, client.language) == (DIRECT, GO):
            return _GO_HANG_SECS
        return self.bound_secs


def kill(mesh: Mesh) -> AbstractContextManager[None]:
    return _kill(mesh.busy_server())


def kill_bundled(mesh: Mesh) -> AbstractContextManager[None]:
    """Kill the server with most streams by its own count, as all servers find the same people."""
    counts = [server.open_streams() for server in mesh.servers]
    if not (most := max(counts)):
        raise RuntimeError(f"streams of the servers: got {counts}, want one that has some")
    return _kill(mesh.servers[counts.index(most)])


@contextmanager
def _kill(victim: PoseServer) -> Iterator[None]:
    victim.kill()
    yield
    victim.start()
    victim.wait_until_ready()


@contextmanager
def unplug(mesh: Mesh) -> Iterator[None]:
    victim = mesh.busy_server()
    victim.host.unplug()
    yield
    victim.host.plug()


@contextmanager
def hang(mesh: Mesh) -> Iterator[None]:
    victim = mesh.busy_server()
    victim.signal(signal.SIGSTOP)
    yield
    victim.signal(signal.SIGCONT)


@contextmanager
def restart_all(mesh: Mesh) -> Iterator[None]:
    for server in mesh.servers[:-1]:
        server.drain()
        server.start()
        server.wait_until_ready()
        time.sleep(_JOIN_SECS)
    yield


@contextmanager
def add_server(mesh: Mesh) -> Iterator[None]:
    """Streams move to it as they reach their maximum age."""
    server = mesh.servers[-1]
    server.start()
    server.wait_until_ready()
    mesh.envoy.list_servers([each.address for each in mesh.servers])
    mesh.wait_until_used(server)
    yield


@contextmanager
def restart_envoy_hot(mesh: Mesh) -> Iterator[None]:
    mesh.envoy.restart_hot()
    yield


@contextmanager
def kill_envoy(mesh: Mesh) -> Iterator[None]:
    mesh.envoy.kill()
    mesh.envoy.start()
    yield


EVENTS = (
    Event("a server is killed (SIGKILL)", kill, _QUICK_SECS),
    Event("a server's cable is pulled", unplug, _BOUND_SECS),
    Event("a server hangs (SIGSTOP)", hang, _BOUND_SECS),
    Event("all servers restart, one after another", restart_all, _QUICK_SECS),
    Event("a fifth server joins", add_server, _QUICK_SECS),
    Event("Envoy restarts (hot restart)", restart_envoy_hot, _QUICK_SECS),
    Event("Envoy is killed and started again", kill_envoy, _BOUND_SECS),
)
BUNDLED_EVENT = Event("a server with the bundled model is killed", kill_bundled, _BOUND_SECS)
