"""Runs the programs that make the calls of the table, all at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.clients.calls.scripted import CallScripts
from tests.clients.calls.servers import RealServer
from tests.clients.calls.table import TABLE
from tests.reference.scripted_service import running

_ROOT = Path(__file__).parents[3]
_WAIT_SECS = 600  # far longer than all calls take

_PYTHON = [sys.executable, "-W", "error", "-m"]
COMMANDS: Mapping[str, list[str]] = {
    "python": [*_PYTHON, "tests.clients.calls.python_driver"],
    "python_async": [*_PYTHON, "tests.clients.calls.async_driver"],
    "go": [str(_ROOT / "build" / "clients" / "go" / "calls")],
    "cpp": [str(_ROOT / "build" / "clients" / "cpp" / "tests" / "calls")],
}
_HOW_TO_GET = {
    "go": "make examplego builds it, with Go 1.26, which make gotoolchain installs",
    "cpp": "make examplecpp builds it, with the packages in docs/cpp_client.md, libgtest-dev and "
    "libyaml-cpp-dev",
}


def missing(client: str) -> str | None:
    """Return why the client's program cannot run, if so."""
    program = COMMANDS[client][0]
    return None if os.path.exists(program) else f"no {program}: {_HOW_TO_GET[client]}"


class Actions:
    """Does what the programs ask for; restarts wait until all programs ask for them."""

    def __init__(self, server: RealServer, clients: int) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._clients = clients
        self._what = ""
        self._waiting: list[Callable[[], None]] = []

    def do(self, what: str, scripts: CallScripts, reply: Callable[[], None]) -> None:
        """Do it, and call `reply` when the program may go on."""
        if what == "start":
            scripts.may_start.set()
            reply()
        elif what == "wait until called":
            assert scripts.called.wait(_WAIT_SECS), "no call has reached the scripted server"
            reply()
        else:
            with self._lock:
                self._what = what
                self._waiting.append(reply)
                self._restart_if_all_wait()

    def leave(self) -> None:
        """Record that one program has ended, so that the others do not wait for it."""
        with self._lock:
            self._clients -= 1
            self._restart_if_all_wait()

    def _restart_if_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self._clients:
            return
        try:
            self._stop()
            if self._what == "kill first":
                self._reply_to_all()
            self._server.start()
        finally:
            self._reply_to_all()

    def _stop(self) -> None:
        if self._what == "drain":
            self._server.drain()
        else:
            assert self._what in ("kill", "kill first"), self._what
            self._server.kill()

    def _reply_to_all(self) -> None:
        for reply in self._waiting:
            reply()
        self._waiting.clear()


class Driver:
    """One program, with a scripted server of its own, in a thread that reads what it prints."""

    def __init__(self, client: str, folder: Path, servers: Mapping[str, str]) -> None:
        self.outcomes: dict[str, Any] = {}
        self.fault = ""
        self._client = client
        self._folder = folder
        self._servers = servers

    def run(self, actions: Actions) -> None:
        """Run the program to its end."""
        try:
            scripts = CallScripts()
            with running(scripts) as server:
                self._run(actions, scripts, server.target)
        except Exception as error:  # noqa: BLE001 - the tests report it
            self.fault = repr(error)
        finally:
            actions.leave()

    def _run(self, actions: Actions, scripts: CallScripts, address: str) -> None:
        addresses = self._folder / f"{self._client}.yaml"
        addresses.write_text(yaml.safe_dump({**self._servers, "scripted": address}))
        command = [*COMMANDS[self._client], str(TABLE), str(self._folder), str(addresses)]
        errors = self._folder / f"{self._client}.stderr"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        with process, _killed_after(process, _WAIT_SECS):
            self._read(process, actions, scripts)
            code = process.wait(_WAIT_SECS)
        if code != 0:
            self.fault = f"the program ended with {code}: {errors.read_text()[-2000:]}"

    def _read(self, process: subprocess.Popen[str], actions: Actions, scripts: CallScripts) -> None:
        assert process.stdout is not None

        def reply() -> None:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.write("done\n")
                process.stdin.flush()

        for line in process.stdout:
            document = json.loads(line)
            if "ask" in document:
                actions.do(document["ask"], scripts, reply)
            else:
                self.outcomes[document["call"]] = document["outcome"]


def run_drivers(
    clients: list[str], folder: Path, server: RealServer, servers: Mapping[str, str]
) -> dict[str, Driver]:
    """Run the programs of these clients at the same time, all to their ends."""
    addresses = {**servers, "real": server.address}
    drivers = {client: Driver(client, folder, addresses) for client in clients}
    actions = Actions(server, len(clients))
    threads = [threading.Thread(target=each.run, args=(actions,)) for each in drivers.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return drivers


@contextmanager
def _killed_after(process: subprocess.Popen[str], secs: float) -> Iterator[None]:
    timer = threading.Timer(secs, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        process.kill()
