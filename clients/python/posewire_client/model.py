"""The networks that a server runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posewire_client.options import EstimateOptions


class Precision(enum.Enum):
    """The number format of a network's weights."""

    UNKNOWN = "unknown"
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class InputSize:
    """A size of a network's input in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What the keypoints of a pose are, and how they belong together.

    `edges` are to be joined when drawing, `flip_pairs` are left and right of each other; both hold
    numbers of keypoints. `oks_sigmas` are the sigmas of COCO's object keypoint similarity.
    """

    keypoint_names: tuple[str, ...]
    oks_sigmas: tuple[float, ...]
    edges: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network of the server; `version` changes whenever answers could."""

    name: str
    version: str
    precision: Precision
    input_sizes: tuple[InputSize, ...]
    skeleton: Skeleton
    default_options: EstimateOptions
