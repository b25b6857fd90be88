"""Where a server listens."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import grpc
import pytest

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.errors import ListenError
from posewire_server.serving.server import Server, ServerOptions
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

TIMEOUT = 20
_INTERFACES = Path("/proc/net/if_inet6")
HAS_IPV6 = _INTERFACES.exists() and _INTERFACES.read_text() != ""


async def start(address: str) -> None:
    await Server(ServerOptions(address=address)).start()


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::]:0", "[::1]:0", "localhost:0"])
def test_the_address_has_the_port_that_is_listened_on(text: str) -> None:
    if ":" in text.rpartition(":")[0] and not HAS_IPV6:
        pytest.skip("this machine has no IPv6")
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=ServerOptions(address=text)) as server:
        host, _, port = server.server.address.rpartition(":")
        assert (host, int(port)) == (text.rpartition(":")[0], server.server.port)
        reached = {"[::]": ["127.0.0.1", "::1"], "localhost": ["127.0.0.1", "::1"]}
        for each in reached.get(host, [host.strip("[]")]):
            if ":" not in each or HAS_IPV6:
                socket.create_connection((each, int(port)), timeout=TIMEOUT).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_host_is_taken_if_one_of_its_addresses_is(host: str) -> None:
    """gRPC would listen on the other one, and callers would reach one program or the other."""
    if ":" in host and not HAS_IPV6:
        pytest.skip("this machine has no IPv6")

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        address = f"localhost:{taken.getsockname()[1]}"
        with pytest.raises(ListenError, match=f"address {address}: cannot listen there .Address"):
            asyncio.run(start(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:70000", "dns:///localhost:0"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ListenError, match=r"address: got '.*want HOST:PORT"):
        Server(ServerOptions(address=address))


def test_an_address_that_is_taken_is_said() -> None:
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model) as server, pytest.raises(ListenError, match=server.address):
        server.begin(start(server.address)).result(TIMEOUT)


def test_a_socket_in_the_file_system_is_an_address(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/posewire.sock"
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=ServerOptions(address=address)) as server:
        assert server.server.address == address
        with grpc.insecure_channel(address) as channel:
            request = messages.ListModelsRequest()
            stub = PoseServiceStub(channel)
            assert stub.ListModels(request, timeout=TIMEOUT).models

            with pytest.raises(ListenError, match="another program listens there"):
                server.begin(start(address)).result(TIMEOUT)
            assert stub.ListModels(request, timeout=TIMEOUT).models
