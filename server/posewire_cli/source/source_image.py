"""One image to send, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NoReturn

from posewire_cli.errors import SourceError


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image that is read when it is needed.

    `name` is for messages and JSON. `stem` is a relative path without a suffix: it starts the names
    of output files. `read` returns the encoded image; it raises `SourceError` or `OSError`. `path`
    is None unless this is a file. `is_absent`: known to be missing.
    """

    name: str
    stem: str
    read: Callable[[], bytes]
    path: Path | None = None
    is_absent: bool = False


def stem_of(path: PurePath) -> str:
    """Return the stem for a relative path: without directories if it leads upwards.

    Outputs must stay below their directory.
    """
    return path.stem if ".." in path.parts else str(path.with_suffix(""))


def absent_image(name: str, reason: str) -> SourceImage:
    """Return an image that cannot be read, so that it is reported in its turn."""

    def fail() -> NoReturn:
        raise SourceError(reason)

    return SourceImage(name, "", fail, is_absent=True)
