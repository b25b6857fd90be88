"""What goes wrong around a server, one thing at a time."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing

import grpc

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import Client, FrameFailure, InternalError, Outcome, Result, Tls
from tests.chaos.client_group import ClientGroup
from tests.chaos.honest_client import PATIENCE_SECS
from tests.chaos.numbered_image import is_result_of, numbered_image
from tests.chaos.proxy import Proxy
from tests.reference.faulty_runner import Fault
from tests.reference.numbered_frames import frame_request
from tests.reference.server_process import ServerProcess

_SOCKETS = 5
_OPEN_SOCKETS = 20
_UNREAD_STREAMS = 4
_UNREAD_FRAMES = 200
_CONNECT_SECS = 20


class Breaker:
    """Breaks things in an order that `chance` draws, each kind as often as the others.

    `failures`: what the server answered wrongly to the breaker itself.
    """

    def __init__(
        self,
        chance: random.Random,
        server: ServerProcess,
        proxy: Proxy,
        clients: ClientGroup,
        roots: bytes,
    ) -> None:
        self._chance = chance
        self._server = server
        self._proxy = proxy
        self._clients = clients
        self._roots = roots
        self._sockets: deque[socket.socket] = deque()
        self._unread: deque[_UnreadStream] = deque()
        self._next: list[Callable[[], None]] = []
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []

    @property
    def kinds(self) -> int:
        return len(self._all())

    @property
    def has_cut(self) -> bool:
        return self._proxy.cuts > 0

    def break_one(self) -> None:
        """Break the next thing."""
        if not self._next:
            self._next = self._all()
            self._chance.shuffle(self._next)
        act = self._next.pop()
        self.counts[act.__name__.strip("_").replace("_", " ")] += 1
        act()

    def close(self) -> None:
        """Let go of all connections and streams."""
        while self._sockets:
            self._sockets.popleft().close()
        while self._unread:
            self._unread.popleft().close()

    def _all(self) -> list[Callable[[], None]]:
        return [
            self._kill_client,
            self._cut_connections,
            self._stop_server,
            self._send_garbage,
            self._begin_handshakes,
            self._read_slowly,
            self._never_read,
            self._make_runner_throw,
            self._make_runner_return_nan,
            self._make_runner_stall,
        ]

    def _kill_client(self) -> None:
        self._clients.kill_one(self._chance)

    def _cut_connections(self) -> None:
        self._proxy.cut()

    def _stop_server(self) -> None:
        os.kill(self._server.pid, signal.SIGSTOP)
        try:
            time.sleep(self._chance.uniform(1, 2))
        finally:
            os.kill(self._server.pid, signal.SIGCONT)

    def _send_garbage(self) -> None:
        for _ in range(_SOCKETS):
            self._connect(self._chance.randbytes(self._chance.randrange(1, 5000)))

    def _begin_handshakes(self) -> None:
        for _ in range(_SOCKETS):
            hello = _client_hello()
            self._connect(hello[: self._chance.randrange(1, len(hello) + 1)])

    def _connect(self, data: bytes) -> None:
        """Send these bytes on a connection that stays open, and close the oldest of them."""
        host, _, port = self._server.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), _CONNECT_SECS)
        self._sockets.append(connection)
        connection.sendall(data)
        while len(self._sockets) > _OPEN_SOCKETS:
            self._sockets.popleft().close()

    def _read_slowly(self) -> None:
        self._proxy.hold(self._chance.uniform(0.5, 2))

    def _never_read(self) -> None:
        self._unread.append(_UnreadStream(self._server.address, self._roots))
        while len(self._unread) > _UNREAD_STREAMS:
            self._unread.popleft().close()

    def _make_runner_throw(self) -> None:
        def is_internal(outcome: Outcome) -> bool:
            return isinstance(outcome, FrameFailure) and isinstance(outcome.error, InternalError)

        self._send_fault(Fault.THROW, is_internal)

    def _make_runner_return_nan(self) -> None:
        """The decoder finds nobody where there is no number."""
        self._send_fault(
            Fault.NAN, lambda outcome: isinstance(outcome, Result) and not len(outcome.poses)
        )

    def _make_runner_stall(self) -> None:
        self._send_fault(Fault.STALL, lambda outcome: isinstance(outcome, Result))

    def _send_fault(self, fault: Fault, is_right: Callable[[Outcome], bool]) -> None:
        """Stream it between two good frames, which must not notice."""
        frames = [numbered_image(1), fault.image, numbered_image(3)]
        tls = Tls(root_certificates=self._roots)
        with (
            Client(
                self._server.address,
                tls=tls,
                timeout_secs=PATIENCE_SECS,
                retry_for_secs=PATIENCE_SECS,
            ) as client,
            closing(client.stream(frames)) as stream,
        ):
            outcomes = list(stream)
        good = len(outcomes) == len(frames) and (
            is_result_of(outcomes[0], 1) and is_right(outcomes[1]) and is_result_of(outcomes[2], 3)
        )
        if not good:
            self.failures.append(f"{fault.name} between two good frames: {outcomes}")


class _UnreadStream:
    """Sends frames and takes no answers."""

    def __init__(self, address: str, roots: bytes) -> None:
        self._ended = threading.Event()
        credentials = grpc.ssl_channel_credentials(roots)
        self._channel = grpc.secure_channel(address, credentials)
        self._call = PoseServiceStub(self._channel).StreamPoses(self._requests())

    def close(self) -> None:
        self._ended.set()
        self._call.cancel()
        self._channel.close()

    def _requests(self) -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        for number in range(1, _UNREAD_FRAMES + 1):
            yield frame_request(number)
        self._ended.wait()


def _client_hello() -> bytes:
    """Return the first message of a TLS client."""
    context = ssl.create_default_context()
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, sent, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("a handshake ended without a server")
