"""The entries of the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from posewire_server.geometry import InputGeometry

Precision = Literal["fp32", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download; `path` is relative to the model's directory, `sha384` is in hex."""

    path: str
    address: str
    size: int
    sha384: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True, slots=True)
class Bundled:
    """A network in posewire's package: NAME.xml and NAME.bin in `directory`, in one precision."""

    directory: Path
    precision: Precision


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """A network ready to run: its files, including NAME.xml, for each precision."""

    files: Mapping[Precision, tuple[RemoteFile, ...]]


@dataclass(frozen=True, slots=True)
class Converted:
    """A network that is converted on this machine from a checkpoint to download."""

    checkpoint: RemoteFile


@dataclass(frozen=True, slots=True)
class UserSupplied:
    """A network converted from a checkpoint that the user downloads from a link on `page`."""

    checkpoint: str
    page: str


Origin = Bundled | Prebuilt | Converted | UserSupplied


@dataclass(frozen=True, slots=True)
class PublishedAccuracy:
    """Average precision on COCO keypoints in percent, as published by others."""

    average_precision: float
    conditions: str
    source: str


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model; `delta`, in heatmap cells, is added to (x, y) and follows from its training.

    `min_pose_score` is the default threshold, chosen by measured precision and recall
    (`posewire eval`); None if not measured.
    """

    name: str
    summary: str
    licence: str
    geometry: InputGeometry
    delta: tuple[float, float]
    accuracy: PublishedAccuracy | None
    origin: Origin
    min_pose_score: float | None = None

    def files(self, precision: Precision) -> tuple[RemoteFile, ...]:
        """Return the files to download."""
        if isinstance(self.origin, Prebuilt):
            return self.origin.files[precision]
        if isinstance(self.origin, Converted):
            return (self.origin.checkpoint,)
        return ()
