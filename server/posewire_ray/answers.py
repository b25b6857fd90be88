"""Answers images as the server does, in the process that calls."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from posewire.v1 import estimate_pb2, image_pb2
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.answer import SerializedFields
from posewire_server.serving.frames.served_model import ServedModel


class Answers:
    """One model in this process. Any number of threads may share it.

    `model`: name of an installed model or path of a file. Raises `ModelError`.
    """

    def __init__(
        self, model: str, runner: RunnerOptions | None = None, *, cache: Path | None = None
    ) -> None:
        installed = installed_model(model, cache=cache)
        self.model = ServedModel.load(installed, runner or RunnerOptions())
        self._limits = ImageLimits()

    def result(self, image: image_pb2.Image, options: estimate_pb2.EstimateOptions) -> bytes:
        """Return the fields that FrameResult and EstimatePosesResponse share, serialized.

        Raises `RequestError`.
        """
        started = perf_counter()
        estimate = self.model.pipeline.estimate_to_bytes(
            image, self.model.options.with_proto(options), limits=self._limits
        )
        fields = SerializedFields.of(estimate, model_version=self.model.version, waited_secs=0.0)
        return fields.result(estimate.poses.data, total_secs=perf_counter() - started)
