"""What results of both clients know of their model and their image."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posewire_client import AsyncClient, Client, FrameFailure, Result, TimedImage
from tests.reference.client_ways import Way
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    error_for,
    result_for,
    small_model,
    started,
    status,
)

IMAGE = np.zeros((6, 8, 3), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "image.jpg"
    path.write_bytes(b"an image")
    return path


def test_keypoints_have_names(way: Way, target: str) -> None:
    single = way.call(target, "estimate", IMAGE)
    (streamed,) = way.stream(target, [IMAGE])
    for result in (single, streamed):
        assert isinstance(result, Result)
        assert result.poses[0]["left_eye"] == result.poses[0][1]
        assert result.skeleton == result.poses[0].skeleton


def test_a_model_is_described_once(service: ScriptedService, target: str) -> None:
    with Client(target) as client:
        for _ in range(3):
            assert client.estimate(IMAGE).skeleton is not None
    assert service.described == ["small"]
    with Client(target) as client:
        client.model()
        client.estimate(IMAGE)
    assert service.described == ["small", ""]


@pytest.mark.anyio
async def test_a_model_is_described_once_to_the_async_client(
    service: ScriptedService, target: str
) -> None:
    async with AsyncClient(target) as client:
        for _ in range(3):
            assert (await client.estimate(IMAGE)).skeleton is not None
    assert service.described == ["small"]


@pytest.mark.parametrize(("code", "calls"), [(12, 1), (7, 1), (13, 1), (4, 3)])
def test_a_result_without_a_description_is_a_result(
    service: ScriptedService, target: str, code: int, calls: int
) -> None:
    """It is requested again only after an error that may pass."""

    def refuse(name: str) -> Any:
        raise StatusRaised(status(code, "no"))

    service.describe = refuse
    with Client(target) as client:
        for _ in range(3):
            result = client.estimate(IMAGE)
            assert result.skeleton is None
            assert result.poses[0].keypoint_names == ("0", "1", "2")
    assert service.described == ["small"] * calls


def test_a_description_that_breaks_the_contract_costs_no_result(
    way: Way, service: ScriptedService, target: str
) -> None:
    broken = small_model()
    broken.default_options.min_pose_score = 2.0
    service.describe = lambda name: broken
    assert way.call(target, "estimate", IMAGE).skeleton is None


def test_a_path_is_kept_and_pixels_are_not(way: Way, target: str, path: Path) -> None:
    assert way.call(target, "estimate", path).image == path
    assert way.call(target, "estimate", IMAGE).image is None
    first, second, third = way.stream(target, [str(path), IMAGE, TimedImage(path, 1.0)])
    assert isinstance(first, Result)
    assert isinstance(second, Result)
    assert isinstance(third, Result)
    assert (first.image, second.image, third.image) == (str(path), None, path)


def test_each_result_has_its_own_image_on_request(
    way: Way, service: ScriptedService, target: str
) -> None:
    def fail_second(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        for request in requests:
            is_second = request.frame.frame_id == 2
            yield error_for(request, status(3, "no")) if is_second else result_for(request)

    service.streams = [fail_second]
    images = [np.full((6, 8, 3), number, np.uint8) for number in range(5)]
    outcomes = way.stream(target, images, keep_images=True)
    assert isinstance(outcomes.pop(1), FrameFailure)
    kept = [outcome.image for outcome in outcomes if isinstance(outcome, Result)]
    assert [id(each) for each in kept] == [id(images[k]) for k in (0, 2, 3, 4)]


def test_the_order_of_the_channels_is_sent(way: Way, service: ScriptedService, target: str) -> None:
    way.call(target, "estimate", IMAGE, color="rgb")
    assert service.requests[0].image.raw.pixel_format == 2
    with pytest.raises(ValueError, match="color: got 'gbr'"):
        way.stream(target, [IMAGE], color="gbr")


@pytest.mark.parametrize("keep_images", [False, True])
def test_a_stream_holds_no_more_images_than_its_window(target: str, keep_images: bool) -> None:
    living: set[int] = set()
    most = 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal most
        for number in range(100):
            frame = np.zeros((6, 8, 3), np.uint8)
            living.add(number)
            weakref.finalize(frame, living.discard, number)
            most = max(most, len(living))
            yield frame
            del frame

    with Client(target) as client:
        for outcome in client.stream(frames(), window=2, keep_images=keep_images):
            assert isinstance(outcome, Result)
            assert (outcome.image is not None) == keep_images
            del outcome
    gc.collect()
    assert living == set()
    assert most <= 8
