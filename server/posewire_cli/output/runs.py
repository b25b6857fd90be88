"""Numbered directories of runs: predict, predict2, predict3 and so on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from posewire_cli.output.answered_image import AnsweredImage

RUNS = Path("runs")
_NAME = "predict"


def next_run() -> Path:
    """Return the first directory that does not exist, without creating it."""
    return next(each for each in _candidates() if not each.exists())


def create_run() -> Path:
    """Create and return the first directory that does not exist, one for each process."""
    for directory in _candidates():
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            if RUNS.is_dir():
                continue
            raise
        return directory
    raise AssertionError("unreachable: there are infinitely many candidates")


class SavedNotice:
    """Prints where a run was saved, at its end. A directory that stayed empty is removed."""

    def __init__(self, directory: Path, *, to_stderr: bool) -> None:
        self._directory = directory
        self._to_stderr = to_stderr

    def write(self, image: AnsweredImage) -> None:
        pass

    def close(self) -> None:
        if not any(self._directory.iterdir()):
            self._directory.rmdir()
            return
        print(f"Saved to {self._directory}", file=sys.stderr if self._to_stderr else sys.stdout)


def _candidates() -> Iterator[Path]:
    yield RUNS / _NAME
    for number in count(2):
        yield RUNS / f"{_NAME}{number}"
