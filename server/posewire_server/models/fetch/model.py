"""From a catalog entry to a network in the cache."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

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
from posewire_server.models.digest import is_file
from posewire_server.models.errors import NotInstalledError
from posewire_server.models.fetch.download import Patience, download
from posewire_server.models.fetch.partial_file import PartialFile
from posewire_server.models.fetch.transfer import Progress
from posewire_server.models.installed import installed_entry


class Converter(Protocol):
    """`convert_checkpoint`, or what stands for it."""

    def __call__(
        self, checkpoint: Path, *, directory: Path, name: str | None, precision: Precision
    ) -> Path: ...


@dataclass(frozen=True, slots=True)
class Source:
    """How files come: `mirror` is asked in place of each file's own address."""

    mirror: str | None = None
    patience: Patience = field(default_factory=Patience)
    progress: Progress = lambda file, have: None

    def get(self, file: RemoteFile, target: Path, *, model: str) -> None:
        """Downloads what is not at `target` already."""
        if is_file(target, file):
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
    convert: Converter | None = None,
) -> Path:
    """The .xml of the model in the cache, downloaded, verified and converted as need be.

    `force` takes nothing that lies in the cache for good. Of several processes that fetch a model
    one does and the others wait for it. Raises `FetchError`, and `NotInstalledError` for what has
    no address to fetch it from.
    """
    directory = cache_directory(cache)
    place = network_place(entry, precision, cache=directory)
    if isinstance(entry.origin, Bundled):
        return installed_entry(entry, cache=directory).path
    # Asked before the lock too, as a cache that is installed may be one that cannot be written.
    if not force and _is_whole(entry, precision, directory):
        return place.xml
    if isinstance(entry.origin, UserSupplied):
        raise NotInstalledError(_how_to_supply(entry.name, entry.origin))
    with place.locked():
        if force:
            _clear(entry, place, precision)
        elif _is_whole(entry, precision, directory):
            return place.xml
        if isinstance(entry.origin, Prebuilt):
            _download_network(entry, place, precision, source or Source())
        else:
            _download_and_convert(entry, place, precision, source or Source(), convert or _convert)
    return place.xml


def install_checkpoint(
    checkpoint: Path, *, cache: Path | None = None, precision: Precision = "fp32"
) -> Path:
    """Converts a user's checkpoint to where the catalog's name for it finds it."""
    directory = cache_directory(cache)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".convert-", dir=directory) as temporary:
        made = Path(temporary, "network")
        made.mkdir()
        name = _convert(checkpoint, directory=made, name=None, precision=precision).stem
        place = cached_network(name, precision, cache=directory)
        with place.locked():
            shutil.rmtree(place.staging, ignore_errors=True)
            made.rename(place.staging)
            place.replace_by_staging()
    return place.xml


def _is_whole(entry: CatalogEntry, precision: Precision, cache: Path) -> bool:
    """By content where the catalog knows it, which it cannot of what is made on this machine."""
    directory = network_place(entry, precision, cache=cache).directory
    if isinstance(entry.origin, Prebuilt):
        return all(is_file(directory / file.name, file) for file in entry.files(precision))
    return is_installed(entry, precision, cache=cache)


def _clear(entry: CatalogEntry, place: NetworkPlace, precision: Precision) -> None:
    """Leaves the network that is installed, so that it serves until the new one is there."""
    shutil.rmtree(place.staging, ignore_errors=True)
    if isinstance(entry.origin, Converted):
        checkpoint = place.model_directory / entry.origin.checkpoint.name
        checkpoint.unlink(missing_ok=True)
        PartialFile(checkpoint).discard()


def _download_network(
    entry: CatalogEntry, place: NetworkPlace, precision: Precision, source: Source
) -> None:
    for file in entry.files(precision):
        source.get(file, place.staging / file.name, model=entry.name)
    place.replace_by_staging()


def _download_and_convert(
    entry: CatalogEntry,
    place: NetworkPlace,
    precision: Precision,
    source: Source,
    convert: Converter,
) -> None:
    (file,) = entry.files(precision)
    checkpoint = place.model_directory / file.path
    source.get(file, checkpoint, model=entry.name)
    shutil.rmtree(place.staging, ignore_errors=True)
    place.staging.mkdir()
    convert(checkpoint, directory=place.staging, name=entry.name, precision=precision)
    place.replace_by_staging()


def _convert(checkpoint: Path, *, directory: Path, name: str | None, precision: Precision) -> Path:
    # Imported where it is needed, as it brings openvino, which most fetches do without.
    from posewire_server.models.convert import convert_checkpoint

    return convert_checkpoint(checkpoint, directory=directory, name=name, precision=precision)


def _how_to_supply(name: str, origin: UserSupplied) -> str:
    return (
        f"{name}: its checkpoint has no address that a program may fetch; get "
        f"{origin.checkpoint} from the model zoo linked at {origin.page}, "
        f"then run: posewire models convert --checkpoint {origin.checkpoint}"
    )
