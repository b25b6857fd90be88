"""`posewire models list`."""

from __future__ import annotations

from pathlib import Path

from posewire_cli.command.models.table import as_json, as_table
from posewire_server.models.cache import cache_directory
from posewire_server.models.catalog import CATALOG


def list_models(*, json: bool = False, cache: Path | None = None) -> None:
    """
    Parameters
    ----------
    json
        Print all details, as JSON.
    cache
        Model cache directory (default: $POSEWIRE_CACHE or the user's cache).
    """
    format_models = as_json if json else as_table
    print(format_models(CATALOG.values(), cache=cache_directory(cache)))
