"""A model that the server runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha384
from importlib.metadata import version

from posewire.v1 import model_pb2
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import (
    OpenVinoRunner,
    RunnerOptions,
    WeightsType,
    weights_type,
)
from posewire_server.geometry import Size
from posewire_server.models.digest import sha384_of
from posewire_server.models.installed import InstalledModel
from posewire_server.models.network import read_network

# Aspects of cameras and phones.
_COMMON_FRAMES = (Size(16, 9), Size(4, 3), Size(1, 1), Size(3, 4), Size(9, 16))
_PIXELS = 120  # per unit of the aspects above: 16:9 is 1920x1080

_PRECISIONS: Mapping[WeightsType, model_pb2.Precision] = {
    "f32": model_pb2.PRECISION_FP32,
    "f16": model_pb2.PRECISION_FP16,
    "i8": model_pb2.PRECISION_INT8,
}


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """A pipeline with the name that requests use; `options` are its defaults.

    `runner_options`: those that its network was loaded with, None for another kind of runner.
    """

    name: str
    version: str
    pipeline: Pipeline
    weights: WeightsType = "f32"
    options: EstimateOptions = field(default_factory=EstimateOptions)
    runner_options: RunnerOptions | None = None

    @classmethod
    def load(cls, model: InstalledModel, options: RunnerOptions) -> ServedModel:
        """Read and compile the network. Raises `NetworkError`."""
        # First, so that a file which changes while it is read differs from it afterwards.
        version = _version(model, options)
        network = read_network(model.path)
        pipeline = Pipeline.with_runner(model, OpenVinoRunner(network, options))
        return cls(
            model.name,
            version,
            pipeline,
            weights_type(network),
            EstimateOptions.for_model(model),
            options,
        )

    def is_same(self, model: InstalledModel, options: RunnerOptions) -> bool:
        """Whether this is what `load` would return; reads the model's files."""
        return (
            self.name == model.name
            and self.runner_options == options
            and self.version == _version(model, options)
        )

    def warm_up(self) -> None:
        """Run the network once at every input size that `to_proto` announces."""
        for frame in _common_frames(self.pipeline):
            self.pipeline.warm_up(frame)

    def to_proto(self) -> model_pb2.Model:
        sizes = map(self.pipeline.input_size, _common_frames(self.pipeline))
        return model_pb2.Model(
            name=self.name,
            version=self.version,
            precision=_PRECISIONS[self.weights],
            input_sizes=[
                model_pb2.InputSize(width=each.width, height=each.height) for each in sizes
            ],
            skeleton=self.pipeline.skeleton.to_proto(),
            default_options=self.options.to_proto(),
        )


def load_models(
    models: Sequence[InstalledModel],
    options: RunnerOptions,
    *,
    serving: Sequence[ServedModel] = (),
) -> list[ServedModel]:
    """Load these models, in the same order; keep those of `serving` that have not changed."""
    return [
        next((each for each in serving if each.is_same(model, options)), None)
        or ServedModel.load(model, options)
        for model in models
    ]


def _common_frames(pipeline: Pipeline) -> list[Size]:
    """Return one frame size for each size of the input."""
    frames = [Size(_PIXELS * frame.width, _PIXELS * frame.height) for frame in _COMMON_FRAMES]
    return list({pipeline.input_size(frame): frame for frame in frames}.values())


def _version(model: InstalledModel, options: RunnerOptions) -> str:
    """Return a hash of everything that a result depends on."""
    files = [path for path in (model.path, model.path.with_suffix(".bin")) if path.is_file()]
    parts = [
        version("posewire"),
        *(sha384_of(path) for path in files),
        repr(model.geometry),
        repr(model.delta),
        repr(model.min_pose_score),
        options.device,
        options.inference_precision_hint,
    ]
    return sha384("\n".join(parts).encode()).hexdigest()[:16]
