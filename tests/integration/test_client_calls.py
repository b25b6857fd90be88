"""Single calls of both clients against a scripted server."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from google.protobuf import duration_pb2
from google.protobuf.message import Message

from google.rpc import code_pb2, error_details_pb2
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
    Waiting,
)
from tests.reference.client_ways import Way
from tests.reference.scripted_service import (
    ScriptedService,
    StatusRaised,
    answer_all,
    answer_one,
    status,
)

IMAGE = np.zeros((6, 8, 3), np.uint8)


def raising(*made: Any) -> Any:
    def script(request: Any) -> Message:
        raise StatusRaised(status(*made))

    return script


BUSY = raising(
    8, "full", error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=1_000_000))
)


@pytest.fixture
def slow_target(service: ScriptedService, target: str) -> Iterator[str]:
    """A server that answers no image before the test has ended."""
    test_ended = threading.Event()

    def script(request: Any) -> Message:
        test_ended.wait(10)
        return answer_one(request)

    service.estimates = [script]
    yield target
    test_ended.set()


def test_an_image_is_answered_with_people(way: Way, service: ScriptedService, target: str) -> None:
    options = EstimateOptions(max_poses=2)
    result = way.call(target, "estimate", IMAGE, model="small", options=options)
    assert result.keypoints.shape == (1, 3, 2)
    (request,) = service.requests
    assert (request.model, request.options.max_poses) == ("small", 2)
    assert (request.image.raw.width, request.image.raw.height) == (8, 6)


def test_a_message_above_the_limit_of_the_servers_library_is_an_exception(
    way: Way, service: ScriptedService, target: str
) -> None:
    with pytest.raises(StatusError) as caught:
        way.call(target, "estimate", bytes(8 << 20))
    assert caught.value.code == "RESOURCE_EXHAUSTED"
    assert not caught.value.from_server
    assert service.requests == []


def test_models_are_listed_and_told_apart(way: Way, target: str) -> None:
    (listed,) = way.call(target, "models")
    assert way.call(target, "model", "small") == listed
    assert way.call(target, "model") == listed
    with pytest.raises(NotFoundError, match="no model large"):
        way.call(target, "model", "large")


@pytest.mark.parametrize("code", sorted({*code_pb2.Code.DESCRIPTOR.values_by_name} - {"OK"}))
def test_every_status_has_its_exception(
    way: Way, service: ScriptedService, target: str, code: str
) -> None:
    service.estimates = [raising(code_pb2.Code.Value(code), f"because of {code}")]
    with pytest.raises(StatusError, match=f"because of {code}") as caught:
        way.call(target, "estimate", IMAGE, client={"retry_for_secs": 0})
    assert caught.value.code == code
    assert len(service.requests) == 1


def test_an_exception_carries_the_details(way: Way, service: ScriptedService, target: str) -> None:
    info = error_details_pb2.ErrorInfo(domain="posewire", reason="FIELD_INVALID")
    violation = error_details_pb2.BadRequest.FieldViolation(
        field="options.max_poses", description="is 0"
    )
    bad_request = error_details_pb2.BadRequest(field_violations=[violation])
    service.estimates = [raising(3, "no", info, bad_request)]
    with pytest.raises(InvalidArgumentError) as caught:
        way.call(target, "estimate", IMAGE)
    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.violations == (FieldViolation("options.max_poses", "is 0"),)


@pytest.mark.parametrize("trouble", [raising(14, "warming up"), raising(1, "stopping"), BUSY])
def test_transient_errors_are_retried(
    way: Way, service: ScriptedService, target: str, trouble: Any
) -> None:
    service.estimates = [trouble, answer_one]
    assert len(way.call(target, "estimate", IMAGE).poses) == 1
    assert len(service.requests) == 2


def test_the_time_of_retries_is_bounded(way: Way, service: ScriptedService, target: str) -> None:
    service.estimates = [raising(14, "warming up")]
    with pytest.raises(UnavailableError, match="warming up"):
        way.call(target, "estimate", IMAGE, client={"retry_for_secs": 0.3})
    assert len(service.requests) > 1


@pytest.mark.parametrize("settings", [{"retry_for_secs": -1}, {"timeout_secs": 0}])
def test_impossible_times_are_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match=r"must be (at least 0|positive)"):
        Client("127.0.0.1:1", **settings)
    with pytest.raises(ValueError, match=r"must be (at least 0|positive)"):
        AsyncClient("127.0.0.1:1", **settings)


def test_a_server_that_is_not_there_is_unavailable(way: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnavailableError):
            way.call(target, "models", client={"retry_for_secs": 0})


def test_calls_have_a_deadline_by_default(way: Way, service: ScriptedService, target: str) -> None:
    way.call(target, "models")
    way.call(target, "estimate", IMAGE, client={"timeout_secs": 7})
    way.call(target, "estimate", IMAGE, timeout_secs=3)
    by_default, by_client, by_call = service.deadlines
    assert by_default == pytest.approx(30, abs=1)
    assert by_client == pytest.approx(7, abs=1)
    assert by_call == pytest.approx(3, abs=1)


def test_an_expired_deadline_is_an_exception(way: Way, slow_target: str) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        way.call(slow_target, "estimate", IMAGE, timeout_secs=0.2)
    assert time.monotonic() - began < 5


def test_an_unsuitable_image_is_not_sent(way: Way, service: ScriptedService, target: str) -> None:
    with pytest.raises(UnsuitableImageError):
        way.call(target, "estimate", IMAGE.astype(np.float32))
    assert service.requests == []


def test_a_closed_client_refuses_calls() -> None:
    client = Client("127.0.0.1:1")
    client.close()
    with pytest.raises(ClientClosedError):
        client.models()
    with pytest.raises(ClientClosedError):
        client.stream([])


@pytest.mark.anyio
async def test_a_closed_async_client_refuses_calls() -> None:
    client = AsyncClient("127.0.0.1:1")
    await client.close()
    with pytest.raises(ClientClosedError):
        await client.models()
    with pytest.raises(ClientClosedError):
        client.stream([])


def test_a_channel_of_the_caller_stays_open(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        for _ in range(2):
            with Client(channel=channel) as client:
                assert len(client.models()) == 1


@pytest.mark.anyio
async def test_an_async_channel_of_the_caller_stays_open(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        for _ in range(2):
            async with AsyncClient(channel=channel) as client:
                assert len(await client.models()) == 1


@pytest.mark.parametrize("arguments", [{}, {"target": "x:1", "channel": object()}])
def test_a_client_takes_either_a_target_or_a_channel(arguments: Any) -> None:
    with pytest.raises(ValueError, match="give one of the two"):
        Client(**arguments)
    with pytest.raises(ValueError, match="give one of the two"):
        AsyncClient(**arguments)


@pytest.mark.anyio
async def test_an_asynchronous_call_can_be_cancelled(slow_target: str) -> None:
    async with AsyncClient(slow_target) as client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.estimate(IMAGE), 0.2)


def refuse(requests: Any) -> Iterator[Any]:
    """The script of a stream that does not start."""
    next(requests)
    raise StatusRaised(status(14, "warming up"))
    yield


def estimate(way: Way, target: str, client: Any) -> None:
    way.call(target, "estimate", IMAGE, client=client)


def stream(way: Way, target: str, client: Any) -> None:
    assert len(way.stream(target, [IMAGE], client=client)) == 1


@pytest.mark.parametrize("run", [estimate, stream])
def test_a_wait_is_reported(way: Way, service: ScriptedService, target: str, run: Any) -> None:
    service.estimates = [raising(14, "warming up"), answer_one]
    service.streams = [refuse, answer_all]
    waits: list[Waiting | None] = []
    run(way, target, {"on_wait": waits.append, "retry_for_secs": math.inf})
    first, last = waits
    assert first is not None
    assert first.error.message == "warming up"
    assert last is None


@pytest.mark.parametrize("run", [estimate, stream])
def test_giving_up_ends_the_wait(way: Way, service: ScriptedService, target: str, run: Any) -> None:
    service.estimates, service.streams = [raising(14, "warming up")], [refuse]
    waits: list[Waiting | None] = []
    with pytest.raises(UnavailableError, match="warming up"):
        run(way, target, {"on_wait": waits.append, "retry_for_secs": 0.1})
    assert waits[0] is not None
    assert waits[-1] is None
