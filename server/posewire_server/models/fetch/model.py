"""Installing a model of the catalog in the cache."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from posewire_server.models.cache import (
    NetworkPlace,
    cache_directory,
    cached_network,
    is_installed,
    network_place,
)
from posewire_server.models.catalog_entry import (
    Bundled,
    CatalogEntry,
    Converted,
    Prebuilt,
    Precision,
    RemoteFile,
    UserSupplied,
)
from posewire_server.models.digest import is_intact
from posewire_server.models.errors import NotInstalledError
from posewire_server.models.fetch.download import Patience, download, part_path
from posewire_server.models.fetch.transfer import Progress
from posewire_server.models.installed import how_to_supply, installed_entry


@dataclass(frozen=True, slots=True)
class Source:
    """Where and how to download; `mirror` replaces each file's own address."""

    mirror: str | None = None
    patience: Patience = field(default_factory=Patience)
    progress: Progress = lambda file, received: None

    def get(self, file: RemoteFile, target: Path, *, model: str) -> None:
        """Download the file unless `target` is that file."""
        if is_intact(target, file):
            return
        address = file.address
        if self.mirror is not None:
            address = f"{self.mirror.rstrip('/')}/{model}/{file.path}"
        download(file, target, address=address, patience=self.patience, progress=self.progress)


def fetch_model(
    entry: CatalogEntry,
    *,
    cache: Path | None = None,
    precision: Precision = "fp32",
    source: Source | None = None,
    force: bool = False,
) -> Path:
    """Return the .xml of the model in the cache; download, verify and convert it if need be.

    `force` ignores cached files. If several processes fetch the same model, one does the work and
    the others wait. Raises `FetchError`, and `NotInstalledError` for a model that has no address.
    """
    directory = cache_directory(cache)
    place = network_place(entry, precision, cache=directory)
    if isinstance(entry.origin, Bundled):
        return installed_entry(entry, cache=directory).path
    # Checked before locking too, because an installed cache may be read-only.
    if not force and _is_whole(entry, precision, directory):
        return place.xml
    if isinstance(entry.origin, UserSupplied):
        raise NotInstalledError(f"{entry.name}: {how_to_supply(entry.origin)}")
    with place.lock():
        if force:
            _clear(entry, place)
        elif _is_whole(entry, precision, directory):
            return place.xml
        if isinstance(entry.origin, Prebuilt):
            _download_network(entry, place, precision, source or Source())
        else:
            _download_and_convert(entry, place, precision, source or Source())
    return place.xml


def install_checkpoint(
    checkpoint: Path, *, cache: Path | None = None, precision: Precision = "fp32"
) -> Path:
    """Convert a user's checkpoint into the cache, under its network's name in the catalog."""
    directory = cache_directory(cache)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".convert-", dir=directory) as temporary:
        converted = Path(temporary, "network")
        converted.mkdir()
        name = _convert(checkpoint, converted, name=None, precision=precision).stem
        place = cached_network(name, precision, cache=directory)
        with place.lock():
            shutil.rmtree(place.staging, ignore_errors=True)
            converted.rename(place.staging)
            place.install_staging()
    return place.xml


def _is_whole(entry: CatalogEntry, precision: Precision, cache: Path) -> bool:
    """Check checksums where the catalog has them, which it cannot for a converted network."""
    directory = network_place(entry, precision, cache=cache).directory
    if isinstance(entry.origin, Prebuilt):
        return all(is_intact(directory / file.name, file) for file in entry.files(precision))
    return is_installed(entry, precision, cache=cache)


def _clear(entry: CatalogEntry, place: NetworkPlace) -> None:
    """Remove downloads, but leave the installed network in use until it is replaced."""
    shutil.rmtree(place.staging, ignore_errors=True)
    if isinstance(entry.origin, Converted):
        checkpoint = place.model_directory / entry.origin.checkpoint.name
        checkpoint.unlink(missing_ok=True)
        part_path(checkpoint).unlink(missing_ok=True)


def _download_network(
    entry: CatalogEntry, place: NetworkPlace, precision: Precision, source: Source
) -> None:
    for file in entry.files(precision):
        source.get(file, place.staging / file.name, model=entry.name)
    place.install_staging()


def _download_and_convert(
    entry: CatalogEntry, place: NetworkPlace, precision: Precision, source: Source
) -> None:
    (file,) = entry.files(precision)
    checkpoint = place.model_directory / file.path
    source.get(file, checkpoint, model=entry.name)
    shutil.rmtree(place.staging, ignore_errors=True)
    place.staging.mkdir()
    _convert(checkpoint, place.staging, name=entry.name, precision=precision)
    place.install_staging()


def _convert(checkpoint: Path, directory: Path, *, name: str | None, precision: Precision) -> Path:
    # Imported here because it imports openvino, which most downloads do not need.
    from posewire_server.models.convert import convert_checkpoint

    return convert_checkpoint(checkpoint, directory=directory, name=name, precision=precision)
