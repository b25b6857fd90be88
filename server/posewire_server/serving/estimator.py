"""A served model with the queue in front of it."""

from __future__ import annotations

from posewire_server.image.limits import ImageLimits
from posewire_server.serving.admission import Admission
from posewire_server.serving.served_model import ServedModel


class Estimator:
    """What the calls for one model share; belongs to one event loop.

    `waiting`: how many images may wait besides those that are worked on.
    """

    def __init__(self, model: ServedModel, *, limits: ImageLimits, waiting: int) -> None:
        self.model = model
        self.limits = limits
        self.admission = Admission(at_work=model.pipeline.useful_depth, waiting=waiting)
        # Built once, because it lists the skeleton.
        self.description = model.to_proto()
