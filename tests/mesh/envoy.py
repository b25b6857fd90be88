"""Envoy on a host of its own, with the shipped configuration."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.deploy.envoy_config import ENVOY
from tests.deploy.envoy_process import endpoints
from tests.mesh.network import Host

_PORT = 50051
_DRAIN_SECS = 2
_PARENT_SECS = 3
_PATIENCE_SECS = 20


class Envoy:
    """Calls go to the servers that `list_servers` names."""

    def __init__(self, host: Host, binary: Path, folder: Path) -> None:
        """Keep the configuration in the folder, and the log beside it."""
        self.address = f"{host.address}:{_PORT}"
        self._host = host
        self._binary = binary
        self._log = folder.with_suffix(".log")
        self._endpoints = folder / "eds/posewire.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        self._epoch = 0
        shutil.copytree(ENVOY, folder)
        self._config = folder / "envoy.yaml"
        self._config.write_text(self._config.read_text().replace("/etc/envoy", str(folder)))

    def list_servers(self, addresses: list[str]) -> None:
        """Send calls to these servers, which Envoy does within two seconds."""
        aside = self._endpoints.with_suffix(".new")
        aside.write_text(endpoints(self._endpoints, addresses))
        aside.rename(self._endpoints)

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._epoch = 0
        self._process = self._spawn()
        self._wait_until_listening()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart_hot(self) -> None:
        """Start another, which takes over the socket; wait until the first has ended."""
        first = self._process
        assert first is not None
        self._epoch += 1
        self._process = self._spawn()
        first.wait(_PATIENCE_SECS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        words = [str(self._binary), "--config-path", str(self._config), "--log-level", "warning"]
        words += ["--base-id", "1", "--restart-epoch", str(self._epoch)]
        words += ["--drain-time-s", str(_DRAIN_SECS), "--parent-shutdown-time-s", str(_PARENT_SECS)]
        with self._log.open("ab") as log:
            return subprocess.Popen(self._host.command(words), stderr=log)

    def _wait_until_listening(self) -> None:
        ends = time.monotonic() + _PATIENCE_SECS
        while True:
            try:
                socket.create_connection((self._host.address, _PORT), 1).close()
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)
            else:
                return
