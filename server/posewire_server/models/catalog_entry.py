"""What the catalog says of a model."""

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
    """A file to download; `path` is its place below the model's directory, `sha384` is in hex.

    A mirror has the same `path` below the model's name as a cache has.
    """

    path: str
    address: str
    size: int
    sha384: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True, slots=True)
class Bundled:
    """Comes with posewire, with weights of one precision: NAME.xml and NAME.bin in `directory`."""

    directory: Path
    precision: Precision


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """The files of a network that is ready to run, NAME.xml among them, for each precision."""

    files: Mapping[Precision, tuple[RemoteFile, ...]]


@dataclass(frozen=True, slots=True)
class Converted:
    """A checkpoint from which the network is made on this machine."""

    checkpoint: RemoteFile


@dataclass(frozen=True, slots=True)
class UserSupplied:
    """A checkpoint that has no address of its own: `checkpoint` is its name, `page` tells where."""

    checkpoint: str
    page: str


Origin = Bundled | Prebuilt | Converted | UserSupplied


@dataclass(frozen=True, slots=True)
class PublishedAccuracy:
    """Average precision on COCO keypoints in percent, as somebody else measured it."""

    average_precision: float
    conditions: str
    source: str


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model; `delta` is added to (x, y) in heatmap cells, as its training asks for.

    `min_pose_score` is the default for those who ask for none, chosen by measured precision and
    recall (`posewire eval`); None where nobody has measured it.
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
        """What has to be downloaded."""
        if isinstance(self.origin, Prebuilt):
            return self.origin.files[precision]
        if isinstance(self.origin, Converted):
            return (self.origin.checkpoint,)
        return ()
