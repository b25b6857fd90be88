"""Single calls of both clients against a scripted server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from google.protobuf import duration_pb2
from google.protobuf.message import Message

from google.rpc import code_pb2, error_details_pb2
from posewire.v1 import pose_service_pb2
from posewire_client import (
    AsyncClient,
    Client,
    ClientClosedError,
    DeadlineExceededError,
    EstimateOptions,
    FieldViolation,
    InvalidArgumentError,
    NotFoundError,
    StatusError,
    UnavailableError,
    UnsuitableImageError,
)
from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.scripted_service import (
    ScriptedService,
    StatusRaised,
    running,
    small_pose,
    status,
)

IMAGE = np.zeros((6, 8, 3), np.uint8)


@pytest.fixture(params=[Blocking(), Awaiting()], ids=["Client", "AsyncClient"])
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


def one_person(request: Any) -> Message:
    return pose_service_pb2.EstimatePosesResponse(
        poses=[small_pose()], model="small", model_version="small@1", image_width=8, image_height=6
    )


def raising(*made: Any) -> Any:
    def script(request: Any) -> Message:
        raise StatusRaised(status(*made))

    return script


BUSY = raising(
    8, "full", error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=1_000_000))
)


def test_an_image_is_answered_with_people(way: Way) -> None:
    service = ScriptedService(estimates=[one_person])
    options = EstimateOptions(max_poses=2)
    with running(service) as server:
        result = way.call(server.target, "estimate", IMAGE, model="small", options=options)
    assert result.keypoints.shape == (1, 3, 2)
    (request,) = service.requests
    assert (request.model, request.options.max_poses) == ("small", 2)
    assert (request.image.raw.width, request.image.raw.height) == (8, 6)


def test_a_message_above_the_limit_of_the_servers_library_is_an_exception(way: Way) -> None:
    service = ScriptedService(estimates=[one_person])
    with running(service) as server, pytest.raises(StatusError) as caught:
        way.call(server.target, "estimate", bytes(8 << 20))
    assert caught.value.code == "RESOURCE_EXHAUSTED"
    assert not caught.value.from_server
    assert service.requests == []


def test_models_are_listed_and_told_apart(way: Way) -> None:
    with running(ScriptedService()) as server:
        (listed,) = way.call(server.target, "models")
        assert way.call(server.target, "model", "small") == listed
        assert way.call(server.target, "model") == listed
        with pytest.raises(NotFoundError, match="no model large"):
            way.call(server.target, "model", "large")


@pytest.mark.parametrize(
    "code", sorted({*code_pb2.Code.DESCRIPTOR.values_by_name} - {"OK", "UNAVAILABLE"})
)
def test_every_status_has_its_exception(way: Way, code: str) -> None:
    script = raising(code_pb2.Code.Value(code), f"because of {code}")
    with (
        running(ScriptedService(estimates=[script])) as server,
        pytest.raises(StatusError, match=f"because of {code}") as caught,
    ):
        way.call(server.target, "estimate", IMAGE)
    assert caught.value.code == code


def test_an_exception_carries_the_details(way: Way) -> None:
    info = error_details_pb2.ErrorInfo(domain="posewire", reason="FIELD_INVALID")
    violation = error_details_pb2.BadRequest.FieldViolation(
        field="options.max_poses", description="is 0"
    )
    script = raising(3, "no", info, error_details_pb2.BadRequest(field_violations=[violation]))
    with (
        running(ScriptedService(estimates=[script])) as server,
        pytest.raises(InvalidArgumentError) as caught,
    ):
        way.call(server.target, "estimate", IMAGE)
    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.violations == (FieldViolation("options.max_poses", "is 0"),)


@pytest.mark.parametrize("trouble", [raising(14, "warming up"), BUSY])
def test_what_passes_is_tried_again(way: Way, trouble: Any) -> None:
    service = ScriptedService(estimates=[trouble, one_person])
    with running(service) as server:
        result = way.call(server.target, "estimate", IMAGE)
    assert len(result.poses) == 1
    assert len(service.requests) == 2


def test_attempts_are_bounded(way: Way) -> None:
    service = ScriptedService(estimates=[raising(14, "warming up")])
    with running(service) as server, pytest.raises(UnavailableError, match="warming up"):
        way.call(server.target, "estimate", IMAGE, client={"attempts": 2})
    assert len(service.requests) == 2


def test_nobody_listens(way: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnavailableError):
            way.call(target, "models", client={"attempts": 1})


def test_calls_have_a_deadline_unless_told_otherwise(way: Way) -> None:
    service = ScriptedService(estimates=[one_person])
    with running(service) as server:
        way.call(server.target, "models")
        way.call(server.target, "estimate", IMAGE, client={"timeout_secs": 7})
        way.call(server.target, "estimate", IMAGE, timeout_secs=3)
    by_default, by_client, by_call = service.deadlines
    assert by_default == pytest.approx(30, abs=1)
    assert by_client == pytest.approx(7, abs=1)
    assert by_call == pytest.approx(3, abs=1)


def test_a_deadline_that_passes_is_an_exception(way: Way) -> None:
    release = threading.Event()

    def slow(request: Any) -> Message:
        release.wait(10)
        return one_person(request)

    with running(ScriptedService(estimates=[slow])) as server:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            way.call(server.target, "estimate", IMAGE, timeout_secs=0.2)
        assert time.monotonic() - began < 5
        release.set()


def test_an_unsuitable_image_is_not_sent(way: Way) -> None:
    service = ScriptedService(estimates=[one_person])
    with running(service) as server, pytest.raises(UnsuitableImageError):
        way.call(server.target, "estimate", IMAGE.astype(np.float32))
    assert service.requests == []


def test_a_closed_client_refuses_calls() -> None:
    client = Client("127.0.0.1:1")
    client.close()
    with pytest.raises(ClientClosedError):
        client.models()
    with pytest.raises(ClientClosedError):
        client.stream([])


def test_a_closed_async_client_refuses_calls() -> None:
    async def main() -> None:
        client = AsyncClient("127.0.0.1:1")
        await client.close()
        with pytest.raises(ClientClosedError):
            await client.models()

    asyncio.run(main())


def test_a_channel_of_the_callers_stays_open() -> None:
    with running(ScriptedService()) as server, grpc.insecure_channel(server.target) as channel:
        for _ in range(2):
            with Client(channel=channel) as client:
                assert len(client.models()) == 1


def test_an_async_channel_of_the_callers_stays_open() -> None:
    async def main(target: str) -> None:
        async with grpc.aio.insecure_channel(target) as channel:
            for _ in range(2):
                async with AsyncClient(channel=channel) as client:
                    assert len(await client.models()) == 1

    with running(ScriptedService()) as server:
        asyncio.run(main(server.target))


@pytest.mark.parametrize("arguments", [{}, {"target": "x:1", "channel": object()}])
def test_a_client_wants_a_target_or_a_channel(arguments: Any) -> None:
    with pytest.raises(ValueError, match="give one of the two"):
        Client(**arguments)
    with pytest.raises(ValueError, match="give one of the two"):
        AsyncClient(**arguments)


def test_an_asynchronous_call_can_be_cancelled() -> None:
    release = threading.Event()

    def slow(request: Any) -> Message:
        release.wait(10)
        return one_person(request)

    async def main(target: str) -> None:
        async with AsyncClient(target) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.estimate(IMAGE), 0.2)

    with running(ScriptedService(estimates=[slow])) as server:
        asyncio.run(main(server.target))
        release.set()
