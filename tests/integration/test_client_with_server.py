"""Both clients with the real server, which finds a person at a place that encodes the frame."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_client import (
    Box,
    Delivery,
    EstimateOptions,
    FrameFailure,
    InvalidArgumentError,
    NotFoundError,
    Result,
    Skipped,
    SkipReason,
)
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.streams.session import SessionLife
from tests.reference.client_ways import Way
from tests.reference.numbered_frames import SIDE, is_answer_to, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

AGE_SECS = 0.15
LIFE = SessionLife(max_age_secs=AGE_SECS)
OPTIONS = ServerOptions(address="127.0.0.1:0", limits=ServiceLimits(life=LIFE))


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    chance = random.Random(3)
    runner = PaintingRunner(person_of, capacity=2, delay=lambda: chance.uniform(0.005, 0.015))
    with serving(painted_model(runner, size=SIDE), options=OPTIONS) as server:
        yield server.address


def numbered(number: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE), number % 60, np.uint8)


def test_an_image_has_its_person_however_it_is_sent(way: Way, target: str, tmp_path: Path) -> None:
    grey = numbered(7)
    colour = np.repeat(grey[..., None], 3, axis=2)
    png = cv2.imencode(".png", colour)[1].tobytes()
    path = tmp_path / "seven.png"
    path.write_bytes(png)
    for image in (grey, colour, png, path):
        result = way.call(target, "estimate", image)
        assert result.keypoints.shape == (1, 17, 2)
        assert is_answer_to(7, result.keypoints[0, 0, 0])
        assert (result.model, result.image_width, result.image_height) == ("painted", SIDE, SIDE)
        assert result.stage_times.total_secs >= result.stage_times.inference_secs > 0
        assert len(result.to_openpose()["people"]) == len(result.to_coco(1)) == 1


def test_models_have_a_skeleton_and_defaults(way: Way, target: str) -> None:
    (model,) = way.call(target, "models")
    assert model == way.call(target, "model", "painted")
    assert model.skeleton.keypoint_names[0] == "nose"
    assert len(model.skeleton.oks_sigmas) == 17
    assert model.default_options.max_poses > 0


def test_errors_say_which_field_is_wrong(way: Way, target: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        way.call(target, "estimate", b"no image")
    assert caught.value.reason == "IMAGE_UNDECODABLE"
    assert [each.field for each in caught.value.violations] == ["image.encoded.data"]
    beyond = EstimateOptions(region_of_interest=Box(900, 900, 901, 901))
    with pytest.raises(InvalidArgumentError) as caught:
        way.call(target, "estimate", numbered(1), options=beyond)
    assert caught.value.violations[0].field.startswith("options.region_of_interest")
    with pytest.raises(NotFoundError) as not_found:
        way.call(target, "estimate", numbered(1), model="nothing")
    assert not_found.value.reason == "MODEL_NOT_FOUND"
    assert not_found.value.from_server


def test_a_stream_outlives_the_servers_limit_on_its_age(way: Way, target: str) -> None:
    frames: list[Any] = [numbered(n) for n in range(1, 61)]
    frames[41] = b"damaged"
    began = time.monotonic()
    outcomes = way.stream(target, frames)
    assert time.monotonic() - began > 1.2 * AGE_SECS  # the most that a stream may have
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, 61)]
    failure = outcomes[41]
    assert isinstance(failure, FrameFailure)
    assert failure.error.violations[0].field == "frame.image.encoded.data"
    for outcome in outcomes[:41] + outcomes[42:]:
        assert isinstance(outcome, Result)
        assert outcome.frame_id is not None
        assert is_answer_to(outcome.frame_id, outcome.keypoints[0, 0, 0])


def test_with_latest_every_frame_has_an_outcome_too(way: Way, target: str) -> None:
    frames = (numbered(n) for n in range(1, 31))
    outcomes = way.stream(target, frames, delivery=Delivery.LATEST, window=2)
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, 31)]
    assert {type(outcome) for outcome in outcomes} == {Result, Skipped}
    match outcomes[-1]:
        case Skipped(reason=reason):  # a busy machine took longer than the server lets streams age
            assert reason is SkipReason.DRAINING
        case last:
            assert isinstance(last, Result)
