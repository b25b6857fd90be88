"""`posewire models fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from posewire_cli.command.models.mirror import MIRROR_VARIABLE, checked_mirror
from posewire_cli.command.models.progress_bar import ProgressBar
from posewire_server.models.catalog_entry import Precision
from posewire_server.models.fetch import Source, fetch_model
from posewire_server.models.installed import known_entry


def fetch(
    name: str,
    /,
    *,
    precision: Precision = "fp32",
    mirror: Annotated[str | None, Parameter(env_var=MIRROR_VARIABLE)] = None,
    force: bool = False,
    cache: Path | None = None,
) -> None:
    """
    Parameters
    ----------
    name
        Model name (see posewire models list).
    precision
        Precision of the weights; fp16 halves their size.
    mirror
        Address to download from instead of the publisher's.
    force
        Download again even if the model is installed.
    cache
        Model cache directory (default: $POSEWIRE_CACHE or the user's cache).
    """
    checked = checked_mirror(mirror)
    with ProgressBar() as bar:
        path = fetch_model(
            known_entry(name),
            cache=cache,
            precision=precision,
            source=Source(mirror=checked, progress=bar.show),
            force=force,
        )
    print(path)
