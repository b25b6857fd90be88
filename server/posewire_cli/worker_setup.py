"""How the processes of `posewire serve --processes` begin."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from posewire_cli.log_format import LogFormat, show_calls
from posewire_cli.logs import show_logs
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.serving.transport.native_messages import limit_native_messages


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """Sets a process up like the command; its log lines have the number of the process."""

    log_format: LogFormat | None
    is_verbose: bool

    def __call__(self, number: int) -> None:
        if self.is_verbose:
            show_logs(process=number)
        else:
            logging.basicConfig(level=logging.WARNING, format=f"process {number}: %(message)s")
        keep_large_blocks()  # before other threads start
        if self.log_format is not None:
            show_calls(self.log_format, process=number)
        limit_native_messages()
