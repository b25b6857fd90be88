"""One image to send, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image that is read when it is needed.

    `name` is for messages and JSON. `stem` is a relative path without a suffix: it starts the names
    of output files. `read` returns the encoded image; it raises `SourceError` or `OSError`. `path`
    is None unless this is a file.
    """

    name: str
    stem: str
    read: Callable[[], bytes]
    path: Path | None = None
