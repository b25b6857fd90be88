"""`LocalEstimator` answers as a server with the same model does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

import posewire_server
from posewire.v1.pose_pb2 import Box as BoxMessage
from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import Box, Client, EncodedImage, EstimateOptions, ImageInput, Result
from posewire_client.image import write_image
from posewire_server import LocalEstimator
from posewire_server.errors import InvalidArgumentError
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.pipeline import Estimate
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.models.errors import UnknownModelError
from posewire_server.models.installed import installed_model
from posewire_server.sample import CLIP, STILL
from posewire_server.serving.frames.served_model import ServedModel
from tests.reference.image_files import with_orientation
from tests.reference.server_thread import serving

TIMEOUT = 60
SIDES = ("x_min", "y_min", "x_max", "y_max")
RUNNER = RunnerOptions(inference_num_threads=1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(ServedModel.load(installed_model("demo"), RUNNER)) as server:
        yield server.address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.fixture(scope="module")
def estimator() -> Iterator[LocalEstimator]:
    with LocalEstimator("demo", runner=RUNNER) as estimator:
        yield estimator


def pixels() -> np.ndarray:
    return cv2.imread(str(STILL))


def frame_of_clip() -> np.ndarray:
    clip = cv2.VideoCapture(str(CLIP))
    return clip.read()[1]


def large_jpeg() -> bytes:
    """Make one that is decoded at a reduced size."""
    image = cv2.resize(pixels(), None, fx=4, fy=4)
    return cv2.imencode(".jpg", image)[1].tobytes()


IMAGES = {
    "path": STILL,
    "bytes": STILL.read_bytes(),
    "bytearray": bytearray(STILL.read_bytes()),
    "array": pixels(),
    "mirrored": pixels()[:, ::-1],
    "grey": cv2.imread(str(STILL), cv2.IMREAD_GRAYSCALE),
    "frame": frame_of_clip(),
    "large jpeg": large_jpeg(),
}


def check_equal(local: Estimate[FramePoses], served: Result) -> None:
    assert len(local.poses) == len(served.poses)
    np.testing.assert_array_equal(local.poses.scores, served.scores)
    for name in ("keypoints", "keypoint_scores", "origins"):
        found = getattr(local.poses, name)
        np.testing.assert_array_equal(found, getattr(served, name).reshape(found.shape))
    boxes = [[p.box.x_min, p.box.y_min, p.box.x_max, p.box.y_max] for p in served.poses]
    np.testing.assert_array_equal(local.poses.boxes, np.reshape(boxes, (-1, 4)))
    assert local.frame == (served.image_width, served.image_height)


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_images_have_the_poses_that_a_server_finds(
    client: Client, estimator: LocalEstimator, image: ImageInput
) -> None:
    served = client.estimate(image)
    assert len(served.poses) > 0
    check_equal(estimator.estimate(image), served)


@pytest.mark.parametrize("applied", [True, False])
def test_photos_are_turned_or_not_as_by_a_client(
    client: Client, estimator: LocalEstimator, applied: bool
) -> None:
    photo = with_orientation(STILL.read_bytes(), 6)
    served = client.estimate(EncodedImage(photo, apply_orientation=applied))
    height, width = pixels().shape[:2]
    size = (height, width) if applied else (width, height)
    assert (served.image_width, served.image_height) == size
    check_equal(estimator.estimate(photo, apply_orientation=applied), served)


OPTIONS = [
    {"max_poses": 2},
    {"max_poses": 1 << 40},
    {"min_pose_score": 0.0},
    {"min_pose_score": 1.0},
    {"min_keypoint_score": 0.6},
    {"refine": False},
    {"region": (100.2, 50.0, 400.0, 383.7)},
    {"region": (-9.0, 0.0, 199.99999999, 900.0), "max_poses": 3, "min_pose_score": 0.1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("image", [IMAGES["bytes"], IMAGES["array"]], ids=["bytes", "array"])
def test_options_mean_what_they_mean_to_a_server(
    client: Client, estimator: LocalEstimator, image: ImageInput, options: dict[str, object]
) -> None:
    check_equal(estimator.estimate(image, **options), client.estimate(image, options=sent(options)))


def sent(options: dict[str, object]) -> EstimateOptions:
    """Return the options as a client takes them, whose message has room for 32 bits."""
    given = dict(options)
    region = given.pop("region", None)
    if "max_poses" in given:
        given["max_poses"] = min(int(str(given["max_poses"])), (1 << 32) - 1)
    return EstimateOptions(region_of_interest=None if region is None else Box(*region), **given)


def test_the_defaults_are_those_that_a_server_announces(
    client: Client, estimator: LocalEstimator
) -> None:
    announced = client.model().default_options
    defaults = estimator.default_options
    assert announced.max_poses == defaults.max_poses
    assert announced.min_pose_score == pytest.approx(defaults.min_pose_score)
    assert estimator.name == client.model().name
    assert estimator.skeleton.names == client.model().skeleton.keypoint_names
    low = estimator.estimate(STILL, min_pose_score=0)
    assert len(low.poses) > len(estimator.estimate(STILL).poses) > 0


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (IMAGES["bytes"], {"min_pose_score": 1.5}),
        (IMAGES["bytes"], {"min_keypoint_score": float("nan")}),
        (IMAGES["array"], {"region": (900.0, 0.0, 901.0, 1.0)}),
        (IMAGES["array"], {"region": (2.0, 0.0, 1.0, 1.0)}),
        (b"noise", {}),
        (STILL.read_bytes()[:2000], {}),
    ],
    ids=["score", "no number", "outside", "turned", "noise", "truncated"],
)
def test_what_a_server_rejects_is_rejected_alike(
    address: str, estimator: LocalEstimator, image: ImageInput, options: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgumentError) as local:
        estimator.estimate(image, **options)
    assert (str(local.value), local.value.reason) == rejection(address, image, options)


def rejection(address: str, image: ImageInput, options: dict[str, object]) -> tuple[str, str]:
    """Return message and reason of a server's error, without the checks of our client."""
    request = EstimatePosesRequest()
    write_image(request.image, image)
    for name, value in options.items():
        if name == "region":
            request.options.region_of_interest.CopyFrom(
                BoxMessage(**dict(zip(SIDES, value, strict=True)))
            )
        else:
            setattr(request.options, name, value)
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
        PoseServiceStub(channel).EstimatePoses(request, timeout=TIMEOUT)
    status = rpc_status.from_call(caught.value)
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return status.message, info.reason


@pytest.mark.parametrize("value", [0, -1])
def test_a_number_of_poses_below_one_is_rejected(estimator: LocalEstimator, value: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"max_poses: got {value}, want at least 1"):
        estimator.estimate(STILL, max_poses=value)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((4, 4), np.float32), InvalidArgumentError, "got an array of float32 with shape"),
        (np.zeros((4, 4, 4), np.uint8), InvalidArgumentError, r"with shape \(4, 4, 4\), want "),
        (np.zeros((0, 4, 3), np.uint8), InvalidArgumentError, r"with shape \(0, 4, 3\)"),
        (np.zeros((1, 70_000), np.uint8), InvalidArgumentError, "got 70000x1 pixels"),
        (b"", InvalidArgumentError, "got no bytes, want an image file"),
        (Path("no-such.jpg"), FileNotFoundError, "no-such.jpg"),
        (7, TypeError, "image: got int, want a uint8 array"),
    ],
    ids=["float", "alpha", "empty", "line", "no bytes", "no file", "number"],
)
def test_what_is_no_image_is_named(
    estimator: LocalEstimator, image: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        estimator.estimate(image)  # type: ignore[arg-type]


def test_a_region_has_four_numbers(estimator: LocalEstimator) -> None:
    with pytest.raises(ValueError, match=r"region: got \(1, 2, 3\), want \(x_min, y_min,"):
        estimator.estimate(STILL, region=(1, 2, 3))  # type: ignore[arg-type]


def test_limits_can_be_set() -> None:
    limits = ImageLimits(max_pixels=1000)
    with LocalEstimator("demo", runner=RUNNER, limits=limits) as estimator:
        for image in (IMAGES["bytes"], IMAGES["array"]):
            with pytest.raises(InvalidArgumentError, match="at most 1000") as caught:
                estimator.estimate(image)
            assert caught.value.reason == "IMAGE_TOO_LARGE"


def test_threads_share_an_estimator(estimator: LocalEstimator) -> None:
    names = ["bytes", "grey", "frame"] * 2
    alone = {name: estimator.estimate(IMAGES[name]).poses.keypoints for name in names}
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda name: estimator.estimate(IMAGES[name]).poses.keypoints, names)
        for name, keypoints in zip(names, together, strict=True):
            np.testing.assert_array_equal(keypoints, alone[name])


def test_a_closed_estimator_says_so() -> None:
    with LocalEstimator("demo", runner=RUNNER) as estimator:
        pass
    with pytest.raises(RuntimeError, match="the estimator is closed"):
        estimator.estimate(STILL)
    estimator.close()


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownModelError, match="did you mean demo"):
        LocalEstimator("demos")


def test_the_package_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="'posewire_server' has no attribute 'Estimator'"):
        posewire_server.Estimator  # noqa: B018
