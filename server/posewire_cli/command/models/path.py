"""`posewire models path`."""

from __future__ import annotations

from pathlib import Path

from posewire_server.models.cache import cache_directory
from posewire_server.models.catalog_entry import PRECISIONS, Precision
from posewire_server.models.installed import installed_entry, known_entry


def print_path(
    name: str, /, *, precision: Precision | None = None, cache: Path | None = None
) -> None:
    """
    Parameters
    ----------
    name
        Model name (see posewire models list).
    precision
        Precision of the weights (default: any installed, fp32 first).
    cache
        Model cache directory (default: $POSEWIRE_CACHE or the user's cache).
    """
    precisions = PRECISIONS if precision is None else (precision,)
    model = installed_entry(known_entry(name), cache=cache_directory(cache), precisions=precisions)
    print(model.path)
