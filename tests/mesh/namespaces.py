"""A network of its own for this program, where the kernel permits that to its user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

# Everything in the PID namespace ends with its first process. An ordinary user gets a user
# namespace, in which it has the rights over the others.
_UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--mount-proc"]
_UNSHARE += ["--pid", "--fork", "--kill-child"]
_PACKAGES = {"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux"}
# What a network needs, and a private /dev/shm, in which Envoy leaves a file.
_TRIAL = (
    "ip link add trial type bridge && ip link add trial0 type veth peer name trial1 "
    "&& mount -t tmpfs tmpfs /dev/shm && unshare --net true"
)
_TRIAL_SECS = 20


def obstacles() -> list[str]:
    """Return why this machine permits no network namespaces; empty if it does."""
    missing = [name for name in _PACKAGES if shutil.which(name) is None]
    if missing:
        return [f"the command {name} is missing: install {_PACKAGES[name]}" for name in missing]
    try:
        done = subprocess.run(
            [*_UNSHARE, "sh", "-c", _TRIAL], capture_output=True, text=True, timeout=_TRIAL_SECS
        )
    except subprocess.TimeoutExpired:
        return [f"creating namespaces took more than {_TRIAL_SECS} s"]
    if not done.returncode:
        return []
    said = " ".join(done.stderr.split()) or f"unshare ended with {done.returncode}"
    return [f"the kernel permits no namespaces to user {os.getuid()}: {said}"]


def run_inside(command: Sequence[str]) -> int:
    """Run a command in namespaces of its own; return its exit code.

    All that it has started ends with it, and with this process. It must `watch_parent`.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with subprocess.Popen([*_UNSHARE, *command], stdin=subprocess.PIPE) as process:
        try:
            return process.wait()
        finally:
            process.kill()


def watch_parent() -> None:
    """End this process as soon as its standard input, which `run_inside` holds, is closed."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
