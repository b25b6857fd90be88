"""Connections to a server with TLS that never finish their handshake."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import grpc

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.certificates import make_identity, needs_openssl
from tests.reference.stub_process import stub_process

pytestmark = needs_openssl

TIMEOUT = 60
CONNECTIONS = 100
CLIENT_HELLO_HEADER = b"\x16\x03\x01\x02\x00"
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def test_unfinished_handshakes_neither_stop_others_nor_stay(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    identity = make_identity(tmp_path / "server")
    arguments = ("--tls-cert", str(identity.certificate), "--tls-key", str(identity.key))
    with stub_process(*arguments) as process, ExitStack() as stack:
        address = process.line()
        host, _, port = address.rpartition(":")
        began = time.monotonic()
        sockets = []
        for number in range(CONNECTIONS):
            sockets.append(
                stack.enter_context(socket.create_connection((host, int(port)), TIMEOUT))
            )
            sockets[-1].sendall((CLIENT_HELLO_HEADER, HTTP2_PREFACE, b"")[number % 3] or b"\x16")
        credentials = grpc.ssl_channel_credentials(identity.pair[1])
        with grpc.secure_channel(address, credentials) as channel:
            request = messages.ListModelsRequest()
            assert PoseServiceStub(channel).ListModels(request, timeout=TIMEOUT).models
        for each in sockets:
            assert not _receive(each)
        report(f"{CONNECTIONS} connections closed within {time.monotonic() - began:.1f} s")


def _receive(each: socket.socket) -> bytes:
    """Return what comes before the server ends the connection, alerts left out."""
    received = b""
    try:
        while chunk := each.recv(4096):
            received += chunk
    except ConnectionResetError:
        pass
    return received if received[:1] != b"\x15" else b""
