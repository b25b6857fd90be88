"""A stub server in a process of its own that can be restarted on the same port."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from types import TracebackType

from tests.reference.server_process import ServerProcess, server_process

_STUB = "tests.reference.stub_server"
_STOP_SECS = 30


class RestartingServer:
    """Runs one process at a time, each with the address of the first."""

    def __init__(self, *, secs: float = 0.0) -> None:
        self._secs = secs
        self._process = ExitStack()
        self._address = "127.0.0.1:0"
        self._server: ServerProcess

    def __enter__(self) -> RestartingServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.close()

    @property
    def address(self) -> str:
        return self._address

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        arguments = ["--secs", str(self._secs), "--address", self._address]
        self._server = self._process.enter_context(server_process(_STUB, *arguments))
        self._address = self._server.address

    def stop(self, number: signal.Signals) -> None:
        """Send the signal and wait for the end of the process."""
        os.kill(self.pid, number)
        self._server.process.wait(_STOP_SECS)
        self._process.close()

    def restart(self, number: signal.Signals) -> None:
        self.stop(number)
        self.start()
