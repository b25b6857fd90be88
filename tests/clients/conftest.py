"""A server for the programs and examples of clients/."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.server import ServerOptions
from tests.reference.server_thread import serving

pytest.register_assert_rewrite("tests.clients.calls.expectations")

# On the still it removes keypoints of every person, and some noses.
STRICT = EstimateOptions(min_keypoint_score=0.85)


@pytest.fixture(scope="session")
def demo() -> ServedModel:
    """The bundled model."""
    model = ServedModel.load(installed_model("demo"), RunnerOptions(inference_num_threads=1))
    return replace(model, options=STRICT)


@pytest.fixture(scope="session")
def address(demo: ServedModel) -> Iterator[str]:
    """The address of a server with the bundled model."""
    with serving(demo, options=ServerOptions(address="127.0.0.1:0")) as server:
        yield server.address
