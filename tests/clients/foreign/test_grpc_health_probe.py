"""grpc_health_probe reports what the server's health service says."""

from __future__ import annotations

import socket
import subprocess

import pytest

from tests.clients.foreign import calls, programs

NO_CONNECTION, NO_ANSWER = 2, 3


def probe(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = programs.go_program("grpc-health-probe")
    timeouts = ["-connect-timeout=20s", "-rpc-timeout=20s"]
    return programs.run(program, f"-addr={address}", *timeouts, *arguments)


@pytest.mark.parametrize("service", ["", calls.SERVICE])
def test_a_ready_server_is_serving(address: str, service: str) -> None:
    done = probe(address, f"-service={service}")
    assert (done.returncode, done.stderr) == (0, "status: SERVING\n")


def test_an_unknown_service_is_not_found(address: str) -> None:
    done = probe(address, "-service=no.Such")
    assert done.returncode == NO_ANSWER
    assert "code = NotFound desc = unknown service 'no.Such'" in done.stderr


def test_no_server_is_no_connection() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        done = probe(f"127.0.0.1:{bound.getsockname()[1]}", "-connect-timeout=200ms")
    assert done.returncode == NO_CONNECTION
