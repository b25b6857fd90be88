from __future__ import annotations

import re

import pytest

from posewire_client import Client
from posewire_client.target import check_target
from tests.unit.test_address import BAD, GOOD


@pytest.mark.parametrize(
    "target",
    [
        *(text for text, address in GOOD.items() if address.path or address.port),
        "dns:localhost:50051",
        "dns:///localhost:50051",
        "dns:///[::1]:50051",
        "dns://8.8.8.8/localhost:50051",
        "ipv4:127.0.0.1:50051,127.0.0.2:50051",
        "ipv6:[::1]:50051",
        "xds:///pose",
        "unix-abstract:posewire",
        "vsock:2:50051",
    ],
)
def test_targets_of_grpc_are_accepted(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize(
    "target",
    [
        *BAD,
        "localhost:0",
        "dns:localhost",  # 443 to gRPC
        "dns:///localhost",
        "dns:///localhost:70000",
        "dns:///unix:x",
        "dns:///",
        "dns:",
        "ipv4:127.0.0.1",
        "ipv4:127.0.0.1:1,",
        "ipv6:::1",
        "xds:///",
        "xds:///a b",
        "unix-abstract:",
        "https://localhost:50051",
        "grpc://localhost:50051",
    ],
)
def test_what_grpc_would_mishear_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r", want HOST:PORT, .* or a gRPC target such as dns:///"):
        check_target(target)


def test_a_client_names_its_argument() -> None:
    with pytest.raises(ValueError, match=re.escape("target: got '127.0.0.1:99999' with the bad")):
        Client("127.0.0.1:99999")
