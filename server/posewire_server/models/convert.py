"""Checkpoints converted to OpenVINO's IR: an .xml for the graph and a .bin for the weights."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import openvino as ov

from posewire_server.models.catalog_entry import PRECISIONS, Precision
from posewire_server.models.checkpoint import read_checkpoint
from posewire_server.models.digest import sha384_of
from posewire_server.models.errors import WrongWeightsError
from posewire_server.models.higher_hrnet import higher_hrnet


def convert_checkpoint(
    checkpoint: Path, *, directory: Path, name: str | None = None, precision: Precision = "fp32"
) -> Path:
    """Writes NAME.xml and NAME.bin, and returns the path of the .xml.

    `name` is by default the network's, such as higher-hrnet-w32. With "fp16" the weights take half
    the room and are widened as the model is loaded; what they are computed in is the runtime's
    choice either way. The .xml tells of its origin under `posewire` in its `rt_info`.

    The files take the place of older ones whole, the .bin first; a process that runs the older ones
    goes on undisturbed. Of two processes that write the same name at once, one has to wait: see to
    that where it can happen.

    Raises `CheckpointError` for a checkpoint that is not HigherHRNet's, and `OSError` for a file
    that cannot be read or written.
    """
    _check(name, precision)
    model = _model(checkpoint)
    name = name or model.friendly_name
    _describe(model, {"model": name, "precision": precision, **_origin(checkpoint)})
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory, prefix=f".{name}-") as written:
        _save(model, Path(written, f"{name}.xml"), precision)
        for file in (f"{name}.bin", f"{name}.xml"):
            os.replace(Path(written, file), directory / file)
    return directory / f"{name}.xml"


def _check(name: str | None, precision: str) -> None:
    if name is not None and (not name or Path(name).name != name):
        raise ValueError(f"name is {name!r}, want that of a file, without folders")
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, want one of {PRECISIONS}")


def _model(checkpoint: Path) -> ov.Model:
    weights = read_checkpoint(checkpoint)
    try:
        return higher_hrnet(weights)
    except WrongWeightsError as error:
        raise WrongWeightsError(f"{checkpoint}: {error}") from error


def _origin(checkpoint: Path) -> dict[str, str]:
    """What identifies the checkpoint anywhere; its folder says something about this machine."""
    return {
        "checkpoint": os.fsencode(checkpoint.name).decode(errors="replace"),
        "checkpoint_sha384": sha384_of(checkpoint),
        "posewire_version": version("posewire"),
    }


def _describe(model: ov.Model, facts: dict[str, str]) -> None:
    for key, value in facts.items():
        model.set_rt_info(value, ["posewire", key])


def _save(model: ov.Model, path: Path, precision: Precision) -> None:
    try:
        ov.save_model(model, path, compress_to_fp16=precision == "fp16")
    except RuntimeError as error:
        # The runtime says "iostream error" for a full disk as for anything else.
        raise OSError(f"{path}: could not be written, is the disk full? ({error})") from error
