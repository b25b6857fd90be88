"""The directory of installed models.

    CACHE/NAME/PRECISION/NAME.xml, NAME.bin   a network, complete or absent
    CACHE/NAME/PRECISION.part/                a network that is being downloaded or converted
    CACHE/NAME/CHECKPOINT                     the file that a network was converted from

A mirror has the same files under the same paths, so a cache served by HTTP is a mirror.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from posewire_server.models.catalog_entry import Bundled, CatalogEntry, Prebuilt, Precision

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "POSEWIRE_CACHE"


def cache_directory(given: Path | None = None) -> Path:
    """Return `given`, else POSEWIRE_CACHE, else posewire in the user's cache directory."""
    if given is not None:
        return given
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("posewire")


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """The paths of the network of one model and precision, installed or not."""

    model_directory: Path
    directory: Path
    name: str

    @property
    def xml(self) -> Path:
        return self.directory / f"{self.name}.xml"

    @property
    def bin(self) -> Path:
        return self.directory / f"{self.name}.bin"

    @property
    def staging(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}.part")

    def install_staging(self) -> None:
        """Replace the network by the one in `staging`.

        A directory can be renamed only to an unused name. Between the two renames readers find no
        network, but they never find one file of each.
        """
        old = self.directory.with_name(f"{self.directory.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.directory.exists():
            self.directory.rename(old)
        self.staging.rename(self.directory)
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock that processes share; the system releases it if the process dies."""
        from filelock import FileLock, Timeout

        self.model_directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.model_directory / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("%s: waiting for another process to fetch it", self.name)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def cached_network(name: str, precision: Precision, *, cache: Path) -> NetworkPlace:
    return NetworkPlace(cache / name, cache / name / precision, name)


def network_place(entry: CatalogEntry, precision: Precision, *, cache: Path) -> NetworkPlace:
    if isinstance(entry.origin, Bundled):
        directory = entry.origin.directory
        return NetworkPlace(directory, directory, entry.name)
    return cached_network(entry.name, precision, cache=cache)


def is_installed(entry: CatalogEntry, precision: Precision, *, cache: Path) -> bool:
    """Check the sizes of the files, but not their content."""
    place = network_place(entry, precision, cache=cache)
    if isinstance(entry.origin, Prebuilt):
        return all(
            _size(place.directory / file.name) == file.size for file in entry.files(precision)
        )
    return _size(place.xml) > 0 and _size(place.bin) > 0


def _size(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0
