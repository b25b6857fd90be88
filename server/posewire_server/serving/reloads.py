"""What is read again on SIGHUP, and when its files change."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError

_LOG = logging.getLogger(__name__)

_CHECK_SECS = 1.0

_State: TypeAlias = tuple[tuple[int, int, int] | None, ...]


@dataclass(slots=True)
class _Source:
    name: str
    paths: Sequence[Path]
    reload: Callable[[], object]
    # The files when they were last read.
    state: _State = field(default=())


class Reloads:
    """Reloads sources in a thread of its own, because a file may be on a slow network disk.

    A source that fails to reload stays as before.
    """

    def __init__(self, *, check_secs: float = _CHECK_SECS) -> None:
        self._check_secs = check_secs
        self._sources: list[_Source] = []
        self._wake = threading.Event()
        self._is_requested = False
        self._is_stopped = False
        self._is_busy = False

    def add(self, name: str, paths: Sequence[Path], reload: Callable[[], object]) -> None:
        """Add a source, whose files were just read; before `start`.

        Without `paths` it is only reloaded on request. `reload` is called in the thread of this
        object.
        """
        self._sources.append(_Source(name, paths, reload, _state_of(paths)))

    @property
    def has_sources(self) -> bool:
        return bool(self._sources)

    @property
    def is_busy(self) -> bool:
        """Whether a source is being reloaded; `stop` does not interrupt it."""
        return self._is_busy

    def start(self) -> None:
        """Begin to watch the files of all sources, if there are any."""
        if self._sources:
            threading.Thread(target=self._run, name="reload", daemon=True).start()

    def request(self) -> None:
        """Reload every source soon, whether its files have changed or not."""
        self._is_requested = True
        self._wake.set()

    def stop(self) -> None:
        """Reload nothing more."""
        self._is_stopped = True
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopped:
            self._wake.wait(self._check_secs)
            self._wake.clear()
            is_requested, self._is_requested = self._is_requested, False
            self.check(all_sources=is_requested)

    def check(self, *, all_sources: bool = False) -> None:
        """Reload the sources whose files have changed."""
        for source in self._sources:
            # Taken before the files are read: a change during that is noticed next time.
            state = _state_of(source.paths)
            if not self._is_stopped and (all_sources or state != source.state):
                source.state = state
                self._is_busy = True
                _reload(source)
                self._is_busy = False


def _reload(source: _Source) -> None:
    try:
        source.reload()
    except (InputError, ModelError, OSError) as error:
        _LOG.warning("%s not reloaded, the old one stays in use: %s", source.name, error)
    except Exception:  # noqa: BLE001 - a bug in one source is logged, and the others go on
        _LOG.exception("%s not reloaded, the old one stays in use", source.name)
    else:
        _LOG.info("%s reloaded", source.name)


def _state_of(paths: Sequence[Path]) -> _State:
    return tuple(map(_file_state, paths))


def _file_state(path: Path) -> tuple[int, int, int] | None:
    """Return what differs after a change, also of what a link points to; None without a file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
