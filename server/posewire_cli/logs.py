"""Logs on stderr, for --verbose."""

from __future__ import annotations

import logging

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def show_logs() -> None:
    """Log progress, with the time of each line."""
    logging.basicConfig(level=logging.INFO, format=TEXT)


def are_logs_shown() -> bool:
    return logging.getLogger().isEnabledFor(logging.INFO)
