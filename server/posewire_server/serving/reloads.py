"""What is read again on SIGHUP, and when its files change."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError

_LOG = logging.getLogger(__name__)

_CHECK_SECS = 1.0

_State: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class _Source:
    """Something that is reloaded; `paths` were just read."""

    def __init__(self, name: str, paths: Sequence[Path], reload: Callable[[], object]) -> None:
        self.name = name
        self._paths = paths
        self._reload = reload
        self._state = _state_of(paths)
        self._wake = threading.Event()
        self._is_requested = False
        self._is_stopped = False
        self.is_busy = False

    def run(self, check_secs: float) -> None:
        """Reload on request, and after a change of the files, until `stop`."""
        while not self._is_stopped:
            self._wake.wait(check_secs)
            self._wake.clear()
            is_requested, self._is_requested = self._is_requested, False
            self.check(is_requested=is_requested)

    def request(self) -> None:
        self._is_requested = True
        self._wake.set()

    def stop(self) -> None:
        self._is_stopped = True
        self._wake.set()

    def check(self, *, is_requested: bool) -> None:
        """Reload if that is requested or the files have changed."""
        # Taken before the files are read: a change during that is noticed next time.
        state = _state_of(self._paths)
        if not self._is_stopped and (is_requested or state != self._state):
            self._state = state
            self.is_busy = True
            self._reload_or_warn()
            self.is_busy = False

    def _reload_or_warn(self) -> None:
        try:
            self._reload()
        except (InputError, ModelError, OSError) as error:
            _LOG.warning("%s not reloaded, the old one stays in use: %s", self.name, error)
        except Exception:  # noqa: BLE001 - a bug in one source is logged, and it goes on
            _LOG.exception("%s not reloaded, the old one stays in use", self.name)
        else:
            _LOG.info("%s reloaded", self.name)


class Reloads:
    """Reloads each source in a thread of its own.

    A file may be on a slow network disk, and models take minutes to load, for which a token that
    is no longer valid must not wait. A source that fails to reload stays as before.
    """

    def __init__(self, *, check_secs: float = _CHECK_SECS) -> None:
        self._check_secs = check_secs
        self._sources: list[_Source] = []

    def add(self, name: str, paths: Sequence[Path], reload: Callable[[], object]) -> None:
        """Add a source, whose files were just read; before `start`.

        Without `paths` it is only reloaded on request. `reload` is called in the source's thread.
        """
        self._sources.append(_Source(name, paths, reload))

    @property
    def has_sources(self) -> bool:
        return bool(self._sources)

    @property
    def is_busy(self) -> bool:
        """Whether a source is being reloaded; `stop` does not interrupt it."""
        return any(source.is_busy for source in self._sources)

    def start(self) -> None:
        """Begin to watch the files of all sources."""
        for source in self._sources:
            threading.Thread(
                target=source.run, args=(self._check_secs,), name="reload", daemon=True
            ).start()

    def request(self) -> None:
        """Reload every source soon, whether its files have changed or not."""
        for source in self._sources:
            source.request()

    def stop(self) -> None:
        """Reload nothing more."""
        for source in self._sources:
            source.stop()

    def check(self, *, all_sources: bool = False) -> None:
        """Reload the sources whose files have changed."""
        for source in self._sources:
            source.check(is_requested=all_sources)


def _state_of(paths: Sequence[Path]) -> _State:
    return tuple(map(_file_state, paths))


def _file_state(path: Path) -> tuple[int, int, int] | None:
    """Return what differs after a change, also of what a link points to; None without a file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
