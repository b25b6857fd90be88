"""The models of a server."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posewire_client.options import EstimateOptions
from posewire_client.skeleton import Skeleton


class Precision(enum.Enum):
    """The number format of a model's weights."""

    UNKNOWN = "unknown"
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class InputSize:
    """The size of a network's input in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the server. `version` changes whenever results may change."""

    name: str
    version: str
    precision: Precision
    input_sizes: tuple[InputSize, ...]
    skeleton: Skeleton
    default_options: EstimateOptions
