"""Hosts with a network namespace each, connected by cables to a bridge."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

# Of this process, which is outside of all hosts.
_OUTSIDE = "10.77.0.1"
_BRIDGE = "mesh"
_PATIENCE_SECS = 10


class Host:
    """One machine; `pid` is a process that holds its namespace."""

    def __init__(self, name: str, address: str, pid: int) -> None:
        self.name = name
        self.address = address
        self._namespace = f"/proc/{pid}/ns/net"

    def command(self, words: Sequence[str]) -> list[str]:
        """Return a command that runs these words on the host."""
        return ["nsenter", f"--net={self._namespace}", "--", *words]

    def unplug(self) -> None:
        """Pull the cable."""
        _ip("link", "set", self.name, "down")

    def plug(self) -> None:
        _ip("link", "set", self.name, "up")


class Network:
    """A bridge in the namespace of this process, until the block ends."""

    def __init__(self) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Network:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
        _ip("link", "set", "lo", "up")
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("address", "add", f"{_OUTSIDE}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()

    def add_host(self, name: str, number: int) -> Host:
        """Connect a new host; `number` is the end of its address."""
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._holders.append(holder)
        _wait_for_namespace(holder.pid)
        host = Host(name, f"10.77.0.{number}", holder.pid)
        _ip("link", "add", name, "type", "veth", "peer", "name", "cable", "netns", str(holder.pid))
        _ip("link", "set", name, "master", _BRIDGE, "up")
        for words in (
            "link set lo up",
            f"address add {host.address}/24 dev cable",
            "link set cable up",
        ):
            subprocess.run(host.command(["ip", *words.split()]), check=True)
        return host


def _wait_for_namespace(pid: int) -> None:
    """Wait until a process has left the namespace of this one."""
    own = Path("/proc/self/ns/net").readlink()
    ends = time.monotonic() + _PATIENCE_SECS
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        if time.monotonic() > ends:
            raise TimeoutError(f"process {pid} got no network namespace in {_PATIENCE_SECS} s")
        time.sleep(0.005)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
