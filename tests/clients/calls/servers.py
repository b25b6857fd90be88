"""The servers that the call table names."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.clients.calls.images import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS
from tests.reference.black_hole import black_hole
from tests.reference.certificates import make_identity
from tests.reference.server_process import server_process

_STOP_SECS = 60


class RealServer:
    """`posewire serve` with the bundled model: one process at a time, at one address."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.address = "127.0.0.1:0"
        self._arguments = arguments
        self._log = log
        self._process: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "posewire_cli", "serve", "--model", "demo"]
        command += ["--address", self.address, "--threads", "1"]
        command += self._arguments
        command += ["--max-image-bytes", str(MAX_IMAGE_BYTES)]
        command += ["--max-image-pixels", str(MAX_IMAGE_PIXELS)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("posewire serves at "), self._log.read_text()
        self.address = line.split()[-1]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(_STOP_SECS)
        self._close()

    def drain(self) -> None:
        os.kill(self._process.pid, signal.SIGTERM)
        code = self._process.wait(_STOP_SECS)
        self._close()
        assert code == 0, f"the server ended with {code}"

    def _close(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def real_server(folder: Path) -> Iterator[RealServer]:
    """Run the real server until the block ends; its log is in the folder."""
    server = RealServer(folder / "server.log")
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def other_servers(folder: Path, address: str) -> Iterator[dict[str, str]]:
    """Run all servers but the real and the scripted ones; yield their addresses by name.

    Writes the certificates and keys of the table into the folder.
    """
    for name in ("server", "client", "stranger"):
        make_identity(folder / name, name=name)
    make_identity(folder / "elsewhere", subjects="DNS:elsewhere.example")
    identities = {"tls": "server", "mtls": "server:client", "elsewhere": "elsewhere"}
    proxy = "tests.clients.calls.tls_proxy"
    arguments = [*address.split(":"), str(folder), *identities.values()]
    with ExitStack() as running:
        ports = running.enter_context(server_process(proxy, *arguments)).address.split()
        nobody = running.enter_context(socket.socket())  # it does not listen
        nobody.bind(("127.0.0.1", 0))
        yield {
            **{name: f"127.0.0.1:{port}" for name, port in zip(identities, ports, strict=True)},
            "tokens": running.enter_context(_token_server(folder)).address,
            "nobody": f"127.0.0.1:{nobody.getsockname()[1]}",
            "mute": running.enter_context(black_hole()),
        }


@contextmanager
def _token_server(folder: Path) -> Iterator[RealServer]:
    """Run a server with TLS for callers with the tokens of the table."""
    tokens = folder / "tokens.toml"
    tokens.write_text(
        f'[[tokens]]\nname = "camera"\nsha256 = "{_digest("token-of-camera")}"\n'
        f'[[tokens]]\nname = "batch"\nsha256 = "{_digest("token-of-batch")}"\nmax_streams = 0\n'
    )
    arguments = ["--tokens", str(tokens)]
    arguments += ["--tls-cert", str(folder / "server" / "certificate.pem")]
    arguments += ["--tls-key", str(folder / "server" / "key.pem")]
    server = RealServer(folder / "token_server.log", *arguments)
    try:
        yield server
    finally:
        server.kill()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
