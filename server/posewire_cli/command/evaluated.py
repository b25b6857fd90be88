"""What `posewire eval` measures: a model that it runs itself, or a server."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_cli.command.connection import asking
from posewire_cli.command.network_arguments import runner_options

if TYPE_CHECKING:
    from posewire_client import Client
    from posewire_server.estimation.frame_poses import FramePoses
    from posewire_server.models.installed import InstalledModel


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`identity` is all that its answers depend on besides the images.

    `min_pose_score` is what the model leaves out for those who do not ask; here nothing is.
    """

    name: str
    min_pose_score: float
    identity: Mapping[str, object]
    estimate: Callable[[Path], FramePoses]


@contextmanager
def evaluated(options: argparse.Namespace) -> Iterator[Evaluated]:
    """What the options name, for as long as the block lasts."""
    if options.server is None:
        yield _model(options)
        return
    with asking(options.server) as client:
        yield _served(client, options)


def _model(options: argparse.Namespace) -> Evaluated:
    from posewire_server.estimation.pipeline import Pipeline
    from posewire_server.models.installed import installed_model

    model = installed_model(options.model, cache=options.cache)
    fit, size = options.fit or model.geometry.fit, options.size or model.geometry.size
    model = replace(model, geometry=replace(model.geometry, fit=fit, size=size))
    pipeline = Pipeline.for_model(
        model, runner_options(options), reference=options.decoding == "reference"
    )
    return Evaluated(
        model.name,
        model.min_pose_score,
        _identity(model, options),
        lambda path: pipeline.estimate_file(path).poses,
    )


def _identity(model: InstalledModel, options: argparse.Namespace) -> dict[str, object]:
    from posewire_server.models.digest import sha384_of

    weights = model.path.with_suffix(".bin")
    return {
        "model": sha384_of(model.path)[:16],
        "weights": sha384_of(weights)[:16] if weights.is_file() else None,
        "decoding": options.decoding,
        "delta": list(model.delta),
        **asdict(model.geometry),
        "device": options.device,
        "inference precision": options.inference_precision,
    }


def _served(client: Client, options: argparse.Namespace) -> Evaluated:
    """Every pose counts in an evaluation, so no score is too low."""
    from posewire_client import EstimateOptions
    from posewire_server.estimation.frame_poses import FramePoses

    model = client.model(options.model or "")
    everybody = EstimateOptions(min_pose_score=0.0, min_keypoint_score=0.0)

    def estimate(path: Path) -> FramePoses:
        found = client.estimate(path, model=model.name, options=everybody)
        return FramePoses(found.keypoints, found.keypoint_scores, found.origins, found.scores)

    default = round(model.default_options.min_pose_score or 0.0, 6)  # came as float32
    identity = {"model": model.name, "version": model.version}
    return Evaluated(model.name, default, identity, estimate)
