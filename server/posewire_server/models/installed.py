"""Finds the file of a model by its name or path."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from posewire_server.geometry import InputGeometry
from posewire_server.models.cache import cache_directory, is_installed, network_place
from posewire_server.models.catalog import CATALOG
from posewire_server.models.catalog_entry import (
    PRECISIONS,
    Bundled,
    CatalogEntry,
    Precision,
    UserSupplied,
)
from posewire_server.models.errors import NotInstalledError, UnknownModelError

# Those of HigherHRNet-W32, from which most networks of its family are trained.
_DEFAULT_GEOMETRY = InputGeometry(size=512, fit="short_side", padding="center")
_DEFAULT_DELTA = (0.5, 0.5)
# A pose's score is the mean heatmap value of its keypoints, trained towards 1: 0.3 is a third of a
# clearly visible person.
_DEFAULT_MIN_POSE_SCORE = 0.3

_NETWORK_SUFFIXES = (".xml", ".onnx")
_CHECKPOINT_SUFFIXES = (".pth", ".pt", ".tar", ".ckpt")


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A network that can be loaded: `path` is its .xml or .onnx file.

    `entry` is the catalog's entry of the same name, if any.
    """

    name: str
    path: Path
    geometry: InputGeometry
    delta: tuple[float, float]
    entry: CatalogEntry | None

    @property
    def min_pose_score(self) -> float:
        """Return the default threshold for requests without one."""
        measured = None if self.entry is None else self.entry.min_pose_score
        return _DEFAULT_MIN_POSE_SCORE if measured is None else measured


def installed_model(
    name_or_path: str,
    *,
    cache: Path | None = None,
    catalog: Mapping[str, CatalogEntry] = CATALOG,
) -> InstalledModel:
    """Return the model of that name in the catalog, else the network in that file.

    fp32 is preferred over fp16. A file gets geometry and delta of the catalog's model with the
    file's name, else those of HigherHRNet-W32.

    Raises `UnknownModelError`, and `NotInstalledError` for a model that is not fetched yet.
    """
    entry = catalog.get(name_or_path)
    if entry is not None:
        return installed_entry(entry, cache=cache_directory(cache))
    return _model_in_file(Path(name_or_path), catalog)


def installed_entry(
    entry: CatalogEntry, *, cache: Path, precisions: tuple[Precision, ...] = PRECISIONS
) -> InstalledModel:
    """Return the first installed precision; raise `NotInstalledError` if there is none."""
    for precision in precisions:
        if is_installed(entry, precision, cache=cache):
            path = network_place(entry, precision, cache=cache).xml
            return InstalledModel(entry.name, path, entry.geometry, entry.delta, entry)
    place = network_place(entry, precisions[0], cache=cache)
    if isinstance(entry.origin, Bundled):
        remedy = "it is part of posewire: install posewire again"
    elif isinstance(entry.origin, UserSupplied):
        remedy = how_to_supply(entry.origin)
    else:
        option = "" if place.directory.name == PRECISIONS[0] else f" --precision {precisions[0]}"
        remedy = f"run: posewire models fetch {entry.name}{option}"
    raise NotInstalledError(
        f"{entry.name} is missing or incomplete: want {place.xml} and {place.bin.name}; {remedy}"
    )


def how_to_supply(origin: UserSupplied) -> str:
    """Explain how to install a model whose checkpoint has no address."""
    return (
        f"its checkpoint cannot be downloaded by a program; get {origin.checkpoint} from "
        f"the model zoo linked at {origin.page}, "
        f"then run: posewire models convert --checkpoint {origin.checkpoint}"
    )


def installed_precisions(entry: CatalogEntry, *, cache: Path) -> tuple[Precision, ...]:
    """Return the precisions whose files are there."""
    if isinstance(entry.origin, Bundled):
        precision = entry.origin.precision
        return (precision,) if is_installed(entry, precision, cache=cache) else ()
    return tuple(each for each in PRECISIONS if is_installed(entry, each, cache=cache))


def known_entry(name: str, *, catalog: Mapping[str, CatalogEntry] = CATALOG) -> CatalogEntry:
    """Return the entry of that name; raise `UnknownModelError`, which lists the names."""
    if name in catalog:
        return catalog[name]
    raise UnknownModelError(f"{name!r} is not in the catalog; {_list_names(name, catalog)}")


def _model_in_file(path: Path, catalog: Mapping[str, CatalogEntry]) -> InstalledModel:
    if path.suffix not in _NETWORK_SUFFIXES:
        _refuse_name(path, catalog)
    if not path.is_file():
        raise UnknownModelError(f"{path}: no such file; {_list_names(path.stem, catalog)}")
    weights = path.with_suffix(".bin")
    if path.suffix == ".xml" and not weights.is_file():
        raise UnknownModelError(f"{path}: its weights are missing, want {weights} beside it")
    entry = catalog.get(path.stem)
    if entry is not None:
        return InstalledModel(path.stem, path, entry.geometry, entry.delta, entry)
    return InstalledModel(path.stem, path, _DEFAULT_GEOMETRY, _DEFAULT_DELTA, None)


def _refuse_name(path: Path, catalog: Mapping[str, CatalogEntry]) -> NoReturn:
    if path.suffix in _CHECKPOINT_SUFFIXES:
        raise UnknownModelError(
            f"{path} is a checkpoint, want a network (.xml, .onnx); "
            f"run: posewire models convert --checkpoint {path}"
        )
    raise UnknownModelError(
        f"{str(path)!r} is neither in the catalog nor a .xml or .onnx file; "
        f"{_list_names(path.name, catalog)}"
    )


def _list_names(name: str, catalog: Mapping[str, CatalogEntry]) -> str:
    close = difflib.get_close_matches(name, catalog, n=1, cutoff=0.5)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"{guess}the catalog has {', '.join(catalog)}"
