"""The server answers a ping every second, as proxies send them, and no more of them."""

from __future__ import annotations

from tests.reference.raw_http2 import pings_answered
from tests.reference.server_process import ServerProcess


def test_a_connection_may_ping_every_second(server: ServerProcess) -> None:
    # With the shipped configuration, Envoy pings every 1.2 seconds.
    assert pings_answered(server.address, count=5, interval_secs=1.05) == 5


def test_a_connection_that_pings_more_often_is_closed(server: ServerProcess) -> None:
    assert pings_answered(server.address, count=50, interval_secs=0.0) < 10
