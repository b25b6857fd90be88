"""The tensors of HigherHRNet's state dict, and how another state dict differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.checkpoint.pickled import describe
from posewire_server.models.errors import WrongWeightsError
from posewire_server.models.higher_hrnet.architecture import Architecture
from posewire_server.skeleton import COCO

# Tensors whose first axis is the width. The majority decides, so that one tensor of a wrong shape
# is reported, and not all others.
_WIDTH_VOTERS = tuple(
    f"stage2.0.branches.0.{block}.conv{number}.weight" for block in range(4) for number in (1, 2)
)
_SHOWN = 4
# The number of training batches of a normalisation, which inference does not need.
_UNUSED = ".num_batches_tracked"


def architecture_of(weights: Mapping[str, NDArray[Any]]) -> Architecture:
    """Return the network, with COCO's keypoints, of a state dict.

    Raises `WrongWeightsError`, which lists all tensors that are missing, extra, of another shape or
    not floating-point.
    """
    width = _width(weights)
    architecture = Architecture.of(width, keypoints=len(COCO.names))
    wanted = wanted_shapes(architecture)
    norms = {layer.norm for layer in architecture.layers()} - {None}
    known = {*wanted, *(f"{norm}{_UNUSED}" for norm in norms)}
    faults = [
        *_fault("missing", [name for name in wanted if name not in weights]),
        *_fault("extra", [describe(name) for name in weights if name not in known]),
        *_fault("of another shape", _wrong_shapes(weights, wanted)),
        *_fault("not floating-point", _wrong_types(weights, wanted)),
    ]
    if faults:
        raise WrongWeightsError(
            f"{len(weights)} tensors, want the {len(wanted)} of HigherHRNet-W{width} with "
            f"{len(COCO.names)} keypoints: {'; '.join(faults)}"
        )
    return architecture


def wanted_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by name, in the order of the state dict."""
    return {name: shape for layer in architecture.layers() for name, shape in layer.shapes.items()}


def _width(weights: Mapping[str, NDArray[Any]]) -> int:
    voters = [weights[name] for name in _WIDTH_VOTERS if name in weights]
    widths: list[int] = [voter.shape[0] for voter in voters if voter.ndim and voter.size]
    if not widths:
        raise WrongWeightsError(
            f"has {_list([describe(name) for name in weights])}, want the state dict of a "
            f"HigherHRNet, with {_WIDTH_VOTERS[0]} and so on"
        )
    return Counter(widths).most_common(1)[0][0]


def _wrong_shapes(
    weights: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]]
) -> list[str]:
    return [
        f"{name} is {list(weights[name].shape)}, want {list(shape)}"
        for name, shape in wanted.items()
        if name in weights and weights[name].shape != shape
    ]


def _wrong_types(
    weights: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]]
) -> list[str]:
    return [
        f"{name} is {weights[name].dtype}"
        for name in wanted
        if name in weights and not np.issubdtype(weights[name].dtype, np.floating)
    ]


def _fault(what: str, found: Sequence[str]) -> list[str]:
    """Describe all tensors with the same fault, if any."""
    return [f"{len(found)} {what} ({_list(found)})"] if found else []


def _list(found: Sequence[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more if found else "nothing"
