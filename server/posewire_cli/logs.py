"""Logs on stderr, for --verbose."""

from __future__ import annotations

import logging

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def show_logs(*, process: int | None = None) -> None:
    """Log progress, with the time of each line, and the number of one of several processes."""
    logging.basicConfig(level=logging.INFO, format=text_format(process))


def text_format(process: int | None) -> str:
    return TEXT if process is None else TEXT.replace("%(name)s", f"process {process} %(name)s")


def are_logs_shown() -> bool:
    return logging.getLogger().isEnabledFor(logging.INFO)
