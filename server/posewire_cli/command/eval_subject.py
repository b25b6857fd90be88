"""What `posewire eval` measures: a model in this process, or one behind a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from cyclopts import Group, Parameter

from posewire_cli.command.connection import find_model, open_client
from posewire_cli.command.model_on_demand import find_or_fetch_model
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.option_types import Count
from posewire_cli.command.own_model import runner_options
from posewire_cli.command.target_options import TargetOptions
from posewire_client import Client, EncodedImage, EstimateOptions, Model
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.models.digest import sha384_of
from posewire_server.models.installed import InstalledModel


@Parameter(name="*", group=Group("Model", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    decoding: Literal["default", "reference"] = "default"
    """Resizing and decoding: posewire's, or those by which published AP was measured."""

    fit: Literal["short_side", "inside"] | None = None
    """Image side that --size sets: the short one, or the long one (default: the model's)."""

    size: Count | None = None
    """Length of that side in pixels (default: the model's)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A way to estimate poses.

    `identity`: everything that the poses depend on, apart from the images.
    `min_pose_score`: the model's default, which is not applied here.
    """

    name: str
    min_pose_score: float
    identity: Mapping[str, object]
    estimate: Callable[[Path], FramePoses]


@contextmanager
def open_subject(
    target: TargetOptions, options: ModelOptions, *, apply_orientation: bool, flip_test: bool
) -> Iterator[Subject]:
    """Load the model, or connect to the server, that the options name."""
    if target.server is None:
        assert target.model is not None, "checked with the other options"
        yield _load_model(
            target.model,
            options,
            target.network,
            apply_orientation=apply_orientation,
            flip_test=flip_test,
        )
        return
    with open_client(
        target.server, retry_for_secs=target.retry_for, credentials=target.credentials
    ) as client:
        model = find_model(client, target.model or "", retry_for_secs=target.retry_for)
        yield _served_model(client, model, apply_orientation=apply_orientation, flip_test=flip_test)


def _load_model(
    name: str,
    options: ModelOptions,
    network: NetworkOptions,
    *,
    apply_orientation: bool,
    flip_test: bool,
) -> Subject:
    model = find_or_fetch_model(name, network)
    fit, size = options.fit or model.geometry.fit, options.size or model.geometry.size
    model = replace(model, geometry=replace(model.geometry, fit=fit, size=size))
    pipeline = Pipeline.for_model(
        model, runner_options(network), reference=options.decoding == "reference"
    )
    return Subject(
        model.name,
        model.min_pose_score,
        {
            **_identify(model, options, network),
            "apply orientation": apply_orientation,
            "flip test": flip_test,
        },
        lambda path: (
            pipeline.estimate_file(
                path, apply_orientation=apply_orientation, flip_test=flip_test
            ).poses
        ),
    )


def _identify(
    model: InstalledModel, options: ModelOptions, network: NetworkOptions
) -> dict[str, object]:
    weights = model.path.with_suffix(".bin")
    return {
        "model": sha384_of(model.path)[:16],
        "weights": sha384_of(weights)[:16] if weights.is_file() else None,
        "decoding": options.decoding,
        "delta": list(model.delta),
        **asdict(model.geometry),
        "device": network.device,
        "inference precision": network.inference_precision,
    }


def _served_model(
    client: Client, model: Model, *, apply_orientation: bool, flip_test: bool
) -> Subject:
    everything = EstimateOptions(
        min_pose_score=0.0, min_keypoint_score=0.0, flip_test=True if flip_test else None
    )

    def estimate(path: Path) -> FramePoses:
        image = EncodedImage(path, apply_orientation)
        found = client.estimate(image, model=model.name, options=everything)
        return FramePoses(found.keypoints, found.keypoint_scores, found.origins, found.scores)

    # Rounded because it is sent as a float32.
    min_pose_score = round(model.default_options.min_pose_score or 0.0, 6)
    identity = {
        "model": model.name,
        "version": model.version,
        "apply orientation": apply_orientation,
        "flip test": flip_test,
    }
    return Subject(model.name, min_pose_score, identity, estimate)
