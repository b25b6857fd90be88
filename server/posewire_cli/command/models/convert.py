"""`posewire models convert`."""

from __future__ import annotations

from pathlib import Path

from posewire_cli.command.option_types import OutputPath
from posewire_server.models.catalog_entry import Precision
from posewire_server.models.convert import convert_checkpoint
from posewire_server.models.fetch import install_checkpoint


def convert(
    *,
    checkpoint: Path,
    out: OutputPath | None = None,
    precision: Precision = "fp32",
    overwrite: bool = False,
    cache: Path | None = None,
) -> None:
    """
    Parameters
    ----------
    checkpoint
        File written by torch.save.
    out
        Directory for the .xml and .bin files (default: the model cache).
    precision
        Precision of the weights; fp16 halves their size.
    overwrite
        Replace files in --out that exist (default: they are an error).
    cache
        Model cache directory (default: $POSEWIRE_CACHE or the user's cache).
    """
    if out is None:
        path = install_checkpoint(checkpoint, cache=cache, precision=precision)
    else:
        path = convert_checkpoint(checkpoint, directory=out, precision=precision, replace=overwrite)
    print(path)
