"""Progress of downloads."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn

from tqdm import tqdm

from posewire_server.models.catalog_entry import RemoteFile


class ProgressBar:
    """Shows one bar per file on stderr if that is a terminal."""

    def __init__(self) -> None:
        self._file: RemoteFile | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def show(self, file: RemoteFile, have: int) -> None:
        """Show that `have` bytes of a file are there: fewer than before if a transfer restarts."""
        if self._bar is None or file != self._file:
            self._close()
            self._file, self._bar = file, _new_bar(file, have)
        if have < self._bar.n:
            self._bar.n = have
            self._bar.refresh()
        self._bar.update(have - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _new_bar(file: RemoteFile, have: int) -> tqdm[NoReturn]:
    return tqdm(
        desc=file.name,
        total=file.size,
        initial=have,
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
        dynamic_ncols=True,
        disable=None,  # unless on a terminal
    )
