"""The HTTP endpoint for Prometheus, called by friends and by strangers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge

from posewire_server.serving.errors import ListenError
from posewire_server.serving.observation.metrics_endpoint import MetricsEndpoint
from posewire_server.serving.observation.observers import Observation, ObserveOptions

pytestmark = pytest.mark.anyio

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE_SECS = 20


@asynccontextmanager
async def endpoint(
    address: str = "127.0.0.1:0", *, request_secs: float = PATIENCE_SECS
) -> AsyncIterator[MetricsEndpoint]:
    registry = CollectorRegistry()
    Gauge("answer", "of everything", registry=registry).set(42)
    made = MetricsEndpoint(registry, address, request_secs=request_secs)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


async def answer(address: str, request: bytes) -> bytes:
    reader, writer = await connect(address)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_SECS)
    finally:
        writer.close()


async def is_cut_off(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection that is not answered."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_SECS) == b""
    except ConnectionError:
        return True


async def test_metrics_are_plain_text() -> None:
    async with endpoint() as served:
        head, _, body = (await answer(served.address, GET)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"answer 42.0\n" in body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /metrics?name=x HTTP/1.1\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
        (b"x" * 20_000, b"400"),
    ],
)
async def test_other_requests_get_a_status(request_bytes: bytes, status: bytes) -> None:
    async with endpoint() as served:
        head, _, body = (await answer(served.address, request_bytes)).partition(b"\r\n\r\n")
        assert head.split()[1] == status
        assert (body == b"") is request_bytes.startswith(b"HEAD")
        assert b"answer 42.0" in await answer(served.address, GET)


async def test_a_slow_request_is_cut_off() -> None:
    async with endpoint(request_secs=0.2) as served:
        reader, writer = await connect(served.address)
        writer.write(GET[:-1])
        assert await is_cut_off(reader)
        writer.close()


async def test_many_connections_do_not_shut_out_prometheus() -> None:
    async with endpoint() as served:
        open_ones = [await connect(served.address) for _ in range(100)]
        assert b"answer 42.0" in await answer(served.address, GET)
        # All but the last sixteen are closed, without waiting for their time.
        for reader, _ in open_ones[:80]:
            assert await is_cut_off(reader)
        for _, writer in open_ones:
            writer.close()


async def test_connections_that_come_at_once_are_as_few() -> None:
    async with endpoint(request_secs=600) as served:
        host, _, port = served.address.rpartition(":")
        # The event loop accepts none before all are there.
        sockets = [socket.create_connection((host, int(port))) for _ in range(48)]
        open_ones = [await asyncio.open_connection(sock=each) for each in sockets]
        for reader, _ in open_ones[:32]:
            assert await is_cut_off(reader)
        for reader, writer in open_ones[32:]:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            head = await asyncio.wait_for(reader.read(), PATIENCE_SECS)
            assert head.startswith(b"HTTP/1.1 404")
        for _, writer in open_ones:
            writer.close()


async def test_a_stop_ends_open_connections() -> None:
    async with endpoint() as served:
        reader, writer = await connect(served.address)
        writer.write(b"GET")
        assert b"answer 42.0" in await answer(served.address, GET)
    assert await is_cut_off(reader)
    writer.close()


async def test_a_unix_socket_will_do(tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    async with endpoint(f"unix:{path}"):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(GET)
        assert b"answer 42.0" in await asyncio.wait_for(reader.read(), PATIENCE_SECS)
        writer.close()


async def test_a_taken_port_that_was_asked_for_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ListenError, match=f"metrics address {address}: cannot listen"):
            await Observation("", ObserveOptions(metrics_address=address)).start()


async def test_a_taken_port_that_was_not_asked_for_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        options = ObserveOptions(metrics_address=address, needs_metrics=False)
        observation = Observation("", options)
        await observation.start()
        assert observation.metrics_address is None
        await observation.stop()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"no metrics: metrics address {address}" in record.getMessage()
