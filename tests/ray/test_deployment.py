"""The deployment of Ray Serve, by the configuration in deploy/ray, with posewire's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from ray import serve
from ray.serve.config import gRPCOptions
from ray.serve.schema import ServeDeploySchema

from posewire.v1.image_pb2 import EncodedImage, Image
from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire_client import (
    Client,
    InvalidArgumentError,
    NotFoundError,
    UnimplementedError,
)
from posewire_ray.deployment import app
from posewire_server import LocalEstimator
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.sample import STILL
from tests.reference.ports import free_port

CONFIG = Path(__file__).parents[2] / "deploy" / "ray" / "serve.yaml"


@pytest.fixture(scope="module")
def client(cluster: object) -> Iterator[Client]:
    config = yaml.safe_load(CONFIG.read_text())
    application = ServeDeploySchema.model_validate(config).applications[0]
    assert application.import_path == "posewire_ray.deployment:app"
    port = free_port()
    serve.start(
        grpc_options=gRPCOptions(**{**config["grpc_options"], "port": port}),
        http_options={"port": free_port()},
        proxy_location="HeadOnly",
    )
    try:
        serve.run(app({**application.args, "threads": 1}), name=application.name)
        with Client(f"127.0.0.1:{port}") as client:
            yield client
    finally:
        serve.shutdown()


def test_an_image_has_the_poses_of_the_local_estimator(client: Client) -> None:
    result = client.estimate(STILL, timeout_secs=120)
    with LocalEstimator("demo", runner=RunnerOptions(inference_num_threads=1)) as local:
        poses = local.estimate(STILL).poses
    np.testing.assert_array_equal(result.keypoints, poses.keypoints)
    np.testing.assert_array_equal(result.scores, poses.scores)
    assert result.model == "demo"
    assert result.skeleton is not None
    assert [model.name for model in client.models()] == ["demo"]


def test_errors_have_their_status(client: Client) -> None:
    with pytest.raises(InvalidArgumentError, match=r"image\.encoded\.data: got 4 bytes"):
        client.estimate(b"junk", timeout_secs=120)
    with pytest.raises(NotFoundError, match="got 'other', want one of those served here: demo"):
        client.estimate(STILL, model="other", timeout_secs=120)


def test_streams_are_refused(client: Client) -> None:
    with pytest.raises(UnimplementedError, match="want one to posewire serve"):
        list(client.stream([STILL]))


@pytest.mark.usefixtures("client")
def test_a_handle_answers_messages() -> None:
    image = Image(encoded=EncodedImage(data=STILL.read_bytes()))
    handle = serve.get_app_handle("posewire")
    response = handle.EstimatePoses.remote(EstimatePosesRequest(image=image)).result(timeout_s=120)
    assert len(response.poses) == 6
