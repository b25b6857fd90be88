"""Files that are complete or absent."""

from __future__ import annotations

import logging
from pathlib import Path
from secrets import token_hex

_LOG = logging.getLogger(__name__)


def write_whole(path: Path, text: str) -> None:
    """Write a file, or leave what was there if that fails. Follows a symbolic link."""
    path = path.resolve()
    unfinished = path.with_name(f".posewire-{token_hex(8)}.part")
    try:
        with unfinished.open("x") as file:
            file.write(text)
        unfinished.replace(path)
        _LOG.info("wrote %s", path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
