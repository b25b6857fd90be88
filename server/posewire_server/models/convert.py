"""Converting checkpoints to OpenVINO's IR: an .xml for the graph and a .bin for the weights."""

from __future__ import annotations

import errno
import os
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import openvino as ov

from posewire_server.models.catalog_entry import PRECISIONS, Precision
from posewire_server.models.checkpoint import read_checkpoint
from posewire_server.models.digest import sha384_of
from posewire_server.models.errors import CheckpointError, WrongWeightsError
from posewire_server.models.higher_hrnet import higher_hrnet


def convert_checkpoint(
    checkpoint: Path,
    *,
    directory: Path,
    name: str | None = None,
    precision: Precision = "fp32",
    replace: bool = True,
) -> Path:
    """Write NAME.xml and NAME.bin; return the path of the .xml.

    `name` defaults to the network's, such as higher-hrnet-w32. "fp16" halves the size of the
    weights, which are widened on loading; the precision of inference is the runtime's choice. The
    .xml records its origin under `posewire` in its `rt_info`.

    Older files are replaced atomically, the .bin first; a process that runs them is not disturbed.
    Two processes must not write the same name at once: the caller locks.

    Raises `CheckpointError` for a checkpoint that is not HigherHRNet's or that has the name of a
    file to write, and `OSError` for a file that cannot be read or written: without `replace`, also
    for one that exists.
    """
    _check_arguments(name, precision)
    model = _build_model(checkpoint)
    name = name or model.friendly_name
    _check_targets(checkpoint, [directory / f"{name}.bin", directory / f"{name}.xml"], replace)
    _record_origin(model, {"model": name, "precision": precision, **_origin(checkpoint)})
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory, prefix=f".{name}-") as written:
        _save(model, Path(written, f"{name}.xml"), precision)
        for file in (f"{name}.bin", f"{name}.xml"):
            os.replace(Path(written, file), directory / file)
    return directory / f"{name}.xml"


def _check_arguments(name: str | None, precision: str) -> None:
    if name is not None and (not name or Path(name).name != name):
        raise ValueError(f"name is {name!r}, want a file name, without folders")
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, want one of {PRECISIONS}")


def _check_targets(checkpoint: Path, targets: list[Path], replace: bool) -> None:
    for path in targets:
        if not path.exists():
            continue
        if path.samefile(checkpoint):
            raise CheckpointError(f"{checkpoint}: would be overwritten, want another directory")
        if not replace:
            raise FileExistsError(errno.EEXIST, "exists already, want another directory", str(path))


def _build_model(checkpoint: Path) -> ov.Model:
    weights = read_checkpoint(checkpoint)
    try:
        return higher_hrnet(weights)
    except WrongWeightsError as error:
        raise WrongWeightsError(f"{checkpoint}: {error}") from error


def _origin(checkpoint: Path) -> dict[str, str]:
    """Identify the checkpoint without its folder, which would reveal this machine's paths."""
    return {
        "checkpoint": os.fsencode(checkpoint.name).decode(errors="replace"),
        "checkpoint_sha384": sha384_of(checkpoint),
        "posewire_version": version("posewire"),
    }


def _record_origin(model: ov.Model, facts: dict[str, str]) -> None:
    for key, value in facts.items():
        model.set_rt_info(value, ["posewire", key])


def _save(model: ov.Model, path: Path, precision: Precision) -> None:
    try:
        ov.save_model(model, path, compress_to_fp16=precision == "fp16")
    except RuntimeError as error:
        # OpenVINO reports a full disk as "iostream error", like any other error.
        raise OSError(f"{path}: could not be written, is the disk full? ({error})") from error
