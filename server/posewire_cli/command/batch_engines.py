"""Where `posewire predict` runs its images: a server, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from posewire_cli.batches import estimate_files
from posewire_cli.command.connection import connect
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.command.termination import interrupt_on_sigterm
from posewire_cli.errors import UsageError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.source.image_files import find_images
from posewire_cli.source.source_image import SourceImage
from posewire_client import EstimateOptions, Skeleton

_STDIN = "/dev/stdin"


@dataclass(frozen=True, slots=True)
class Batch:
    """Images with their outcomes, in order, and the model that they come from."""

    model: str
    skeleton: Skeleton
    answered: Iterator[AnsweredImage]


@contextmanager
def run_on_server(
    target: TargetOptions,
    images: Sequence[SourceImage],
    options: EstimateOptions,
    *,
    apply_orientation: bool,
) -> Iterator[Batch]:
    """Stream the images to a server, one of this command unless the target names another."""
    with connect(target) as connection:
        model = connection.model
        send = partial(connection.client.stream, model=model.name, options=options)
        answered = estimate_files(send, images, apply_orientation=apply_orientation)
        yield Batch(model.name, model.skeleton, answered)


@contextmanager
def run_on_ray(
    target: TargetOptions,
    images: Sequence[SourceImage],
    options: EstimateOptions,
    *,
    apply_orientation: bool,
) -> Iterator[Batch]:
    """Run the images through the target's model in a Ray cluster."""
    # Imported here because other commands need neither OpenVINO nor Ray.
    from posewire_cli.command.model_on_demand import find_or_fetch_model
    from posewire_cli.command.own_model import runner_options
    from posewire_cli.ray_batches import SKELETON, BatchModel, estimate_on_ray

    assert target.model is not None, "checked with the other options"
    network = target.network
    installed = find_or_fetch_model(target.model, network)
    # A name is looked up on each node; a file must have the same path there.
    is_file = target.model != installed.name
    model = BatchModel(
        str(Path(target.model).absolute()) if is_file else installed.name,
        installed.name,
        replace(runner_options(network), inference_num_threads=network.threads or 1),
        network.cache and network.cache.absolute(),
    )
    answered = estimate_on_ray(images, model, options, apply_orientation=apply_orientation)
    with interrupt_on_sigterm(), closing(answered):
        yield Batch(installed.name, SKELETON, answered)


def find_images_for_ray(arguments: Sequence[str], *, recursive: bool) -> list[SourceImage]:
    """Find images that other nodes can read, also in object stores. Raises `UsageError`."""
    if _STDIN in arguments:
        raise UsageError("-: other nodes cannot read standard input, want files or addresses")
    from posewire_cli.source.object_store import find_objects

    return find_images(arguments, recursive=recursive, find_objects=find_objects)


def check_ray_target(target: TargetOptions) -> None:
    """Raise `UsageError` if the target is a running server."""
    if target.server is not None:
        raise UsageError("--engine ray: not with --server, want --model")
