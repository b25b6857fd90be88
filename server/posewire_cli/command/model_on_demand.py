"""Finds the model of --model, and downloads it on first use."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

from posewire_cli.command.models.mirror import MIRROR_VARIABLE, checked_mirror
from posewire_cli.command.network_options import NetworkOptions
from posewire_server.models.cache import cache_directory
from posewire_server.models.catalog import CATALOG
from posewire_server.models.catalog_entry import Converted, Prebuilt, Precision, RemoteFile
from posewire_server.models.errors import FetchError, NotInstalledError
from posewire_server.models.installed import InstalledModel, installed_model

_OFFLINE_VARIABLE = "POSEWIRE_OFFLINE"
_FALSE = ("", "0", "false", "no", "off")
_PRECISION: Precision = "fp32"


def find_or_fetch_model(name: str, network: NetworkOptions) -> InstalledModel:
    """Return the model of that name or path, downloaded and converted if it is not installed.

    Prints its licence and size on stderr before a download, with a progress bar if that is a
    terminal. Processes that want the same model at once download it once. Raises
    `NotInstalledError` if downloads are forbidden, `FetchError` if one fails, and the errors of
    `installed_model`.
    """
    try:
        return installed_model(name, cache=network.cache, catalog=CATALOG)
    except NotInstalledError as error:
        if not isinstance(CATALOG[name].origin, Prebuilt | Converted):
            raise
        if forbidding := _forbidding_option(network):
            raise NotInstalledError(f"{error}; {forbidding} forbids downloads here") from None
    _fetch(name, network)
    return installed_model(name, cache=network.cache, catalog=CATALOG)


def _forbidding_option(network: NetworkOptions) -> str | None:
    """Return what forbids downloads, if anything does."""
    if network.offline:
        return "--offline"
    value = os.environ.get(_OFFLINE_VARIABLE, "")
    return None if value.lower() in _FALSE else f"{_OFFLINE_VARIABLE}={value}"


def _fetch(name: str, network: NetworkOptions) -> None:
    # Imported here because only downloads need these packages.
    from posewire_cli.command.models.progress_bar import ProgressBar
    from posewire_server.models.fetch import Source, fetch_model

    entry = CATALOG[name]
    files = entry.files(_PRECISION)
    mirror = checked_mirror(network.mirror or os.environ.get(MIRROR_VARIABLE))
    if not entry.licence:
        raise FetchError(
            f"{name}: its licence is not known, so it is not downloaded on first use; "
            f"to download it all the same, run: posewire models fetch {name}"
        )
    origin = _origin(files, mirror)
    if not origin:
        raise FetchError(
            f"{name}: the address of its files is not known; name a mirror by --mirror or "
            f"{MIRROR_VARIABLE}"
        )
    megabytes = sum(file.size for file in files) / 1e6
    print(
        f"posewire: fetching {name} (licence {entry.licence}, {megabytes:.0f} MB) from {origin} "
        f"into {cache_directory(network.cache)}",
        file=sys.stderr,
        flush=True,
    )
    with ProgressBar() as bar:
        source = Source(mirror=mirror, progress=bar.show)
        fetch_model(entry, cache=network.cache, precision=_PRECISION, source=source)


def _origin(files: tuple[RemoteFile, ...], mirror: str | None) -> str | None:
    """Return the host that the files come from; None if one has no address."""
    addresses = [mirror or file.address for file in files]
    return urlsplit(addresses[0]).hostname if all(addresses) else None
