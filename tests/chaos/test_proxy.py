from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.chaos.proxy import Proxy
from tests.reference.waiting import wait_until

PATIENCE_SECS = 20
MESSAGE = bytes(range(200))


@pytest.fixture
def received() -> Iterator[tuple[str, bytearray]]:
    """The address of an echo server for one connection, and what it receives."""
    taken = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECS)

        def echo() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                try:
                    while chunk := connection.recv(4096):
                        taken.extend(chunk)
                        connection.sendall(chunk)
                except ConnectionResetError:
                    pass

        thread = threading.Thread(target=echo)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", taken
        thread.join()


def test_it_forwards_both_ways_and_cuts_in_mid_message(
    received: tuple[str, bytearray],
) -> None:
    address, taken = received
    with Proxy(address) as proxy:
        host, _, port = proxy.address.rpartition(":")
        with socket.create_connection((host, int(port)), PATIENCE_SECS) as connection:
            connection.sendall(MESSAGE)
            answer = b""
            while len(answer) < len(MESSAGE):
                answer += connection.recv(4096)
            assert answer == MESSAGE == bytes(taken)
            proxy.cut()
            connection.sendall(MESSAGE)
            with pytest.raises(ConnectionResetError):
                connection.recv(4096)
        wait_until(lambda: proxy.cuts == 1)
        assert len(taken) <= len(MESSAGE) + len(MESSAGE) // 2
