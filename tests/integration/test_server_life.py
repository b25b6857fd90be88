"""What a server does when it is busy, is left alone, starts and ends."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.server import Server, ServerOptions
from posewire_server.serving.service import SERVICE, ServiceLimits
from posewire_server.serving.streams.session import SessionLife
from tests.reference.numbered_frames import (
    SIDE,
    frame_request,
    is_answer_to,
    numbered_image,
    person_of,
)
from tests.reference.painting_runner import HeldRunner, PaintingRunner, painted_model
from tests.reference.server_thread import ServerThread, channel_to, serving
from tests.reference.waiting import wait_until

TIMEOUT = 20
LIMITS = ServiceLimits(waiting=0, life=SessionLife(drain_secs=5))
OPTIONS = ServerOptions(address="127.0.0.1:0", limits=LIMITS)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Busy:
    """A server whose network finishes nothing before it is released."""

    def __init__(self, runner: HeldRunner, server: ServerThread, channel: grpc.Channel) -> None:
        self.runner = runner
        self.server = server
        self.stub = PoseServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)

    def ask(self, number: int, *, timeout: float = TIMEOUT) -> grpc.Future:
        request = messages.EstimatePosesRequest(image=numbered_image(number))
        return self.stub.EstimatePoses.future(request, timeout=timeout)

    def fill(self) -> list[grpc.Future]:
        """Calls that take every place; the first one runs."""
        first = self.ask(1)
        assert self.runner.has_begun()
        model = self.server.model
        return [
            first,
            *(self.ask(number) for number in range(2, model.pipeline.max_in_progress + 1)),
        ]


@pytest.fixture
def busy() -> Iterator[Busy]:
    runner = HeldRunner(person_of)
    model = painted_model(runner, size=SIDE)
    with serving(model, options=OPTIONS) as server, channel_to(server) as channel:
        yield Busy(runner, server, channel)
        runner.release()


def reason_of(error: grpc.RpcError) -> str:
    info = ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.details[0].Unpack(info)
    assert info.domain == "posewire"
    return info.reason


def refusal(call: grpc.Future) -> grpc.RpcError:
    error = call.exception(TIMEOUT)
    assert isinstance(error, grpc.RpcError)
    return error


def test_a_full_queue_tells_when_to_come_again(busy: Busy) -> None:
    calls = busy.fill()
    deadline = time.monotonic() + TIMEOUT
    while True:  # the calls above may arrive in any order with this one
        error = refusal(busy.ask(9, timeout=1))
        if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            break
        assert time.monotonic() < deadline
    assert reason_of(error) == "QUEUE_FULL"
    status, retry = rpc_status.from_call(error), RetryInfo()
    assert status is not None
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 200
    busy.runner.release()
    for number, call in enumerate(calls, start=1):
        assert is_answer_to(number, call.result(TIMEOUT).poses[0].keypoints[0].x)
    assert is_answer_to(9, busy.ask(9).result(TIMEOUT).poses[0].keypoints[0].x)


def test_an_image_whose_deadline_comes_first_is_not_run(busy: Busy) -> None:
    first = busy.ask(1)
    assert busy.runner.has_begun()
    late = busy.ask(2, timeout=0.3)
    assert refusal(late).code() == grpc.StatusCode.DEADLINE_EXCEEDED
    time.sleep(0.3)  # until the server has heard of it, too
    busy.runner.release()
    assert first.result(TIMEOUT)
    assert is_answer_to(3, busy.ask(3).result(TIMEOUT).poses[0].keypoints[0].x)
    assert [int(each[0, 0, 0]) for each in busy.runner.images] == [1, 3]


def test_a_call_that_is_cancelled_leaves_the_queue(busy: Busy) -> None:
    first = busy.ask(1)
    assert busy.runner.has_begun()
    unwanted = busy.ask(2)
    time.sleep(0.2)
    assert unwanted.cancel()
    time.sleep(0.3)
    busy.runner.release()
    assert first.result(TIMEOUT)
    assert is_answer_to(3, busy.ask(3).result(TIMEOUT).poses[0].keypoints[0].x)
    assert [int(each[0, 0, 0]) for each in busy.runner.images] == [1, 3]


def test_a_stream_that_is_cancelled_leaves_the_queue(busy: Busy) -> None:
    requests = [StreamPosesRequest(config=stream_pb2.StreamConfig()), *map(frame_request, (1, 2))]
    stream = busy.stub.StreamPoses(iter(requests), timeout=TIMEOUT)
    assert next(stream).HasField("started")
    assert busy.runner.has_begun()
    time.sleep(0.2)
    stream.cancel()
    time.sleep(0.3)
    busy.runner.release()
    assert is_answer_to(3, busy.ask(3).result(TIMEOUT).poses[0].keypoints[0].x)
    # Of the stream's frames the one that was decoded first.
    begun, last = (int(each[0, 0, 0]) for each in busy.runner.images)
    assert begun in (1, 2)
    assert last == 3


def test_a_lame_duck_accepts_calls_while_health_says_no() -> None:
    options = ServerOptions(address="127.0.0.1:0", lame_duck_secs=600)
    model = painted_model(PaintingRunner(person_of))
    with serving(model, options=options) as server, channel_to(server) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        draining = server.begin(server.server.drain())
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        wait_until(lambda: health.Check(request, timeout=TIMEOUT).status == NOT_SERVING)
        PoseServiceStub(channel).GetModel(messages.GetModelRequest(), timeout=TIMEOUT)
        assert not draining.done()
        draining.cancel()


def test_draining_finishes_what_there_is_and_takes_nothing_more(busy: Busy) -> None:
    closing = threading.Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        yield frame_request(1)
        assert closing.wait(TIMEOUT)
        yield frame_request(2)

    watch = busy.health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=TIMEOUT)
    assert next(watch).status == SERVING
    stream = busy.stub.StreamPoses(requests(), timeout=TIMEOUT)
    assert next(stream).HasField("started")
    assert busy.runner.has_begun()
    drained = busy.server.begin(busy.server.server.drain())
    assert next(stream).HasField("draining")
    assert next(watch).status == NOT_SERVING
    error = refusal(busy.ask(3))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    with pytest.raises(grpc.RpcError) as caught:
        list(busy.stub.StreamPoses(iter([]), timeout=TIMEOUT))
    assert reason_of(caught.value) == "DRAINING"
    assert not drained.done()
    closing.set()
    busy.runner.release()
    first, second = (each.outcome for each in stream)
    assert is_answer_to(1, first.result.poses[0].keypoints[0].x)
    assert second.skipped.reason == stream_pb2.SKIP_REASON_DRAINING
    drained.result(TIMEOUT)


def test_a_stream_that_does_not_end_in_time_is_unavailable() -> None:
    limits = ServiceLimits(life=SessionLife(drain_secs=0.2))
    options = ServerOptions(address="127.0.0.1:0", limits=limits)
    opened, closing = threading.Event(), threading.Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        closing.wait(TIMEOUT)

    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=options) as server, channel_to(server) as channel:
        stream = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
        assert next(stream).HasField("started")
        opened.set()
        server.begin(server.server.drain()).result(TIMEOUT)
        assert next(stream).HasField("draining")
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
        closing.set()
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_draining_server_closes_its_listener_and_finishes_its_streams(busy: Busy) -> None:
    closing = threading.Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        yield frame_request(1)
        assert closing.wait(TIMEOUT)

    watch = busy.health.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
    assert next(watch).status == SERVING
    stream = busy.stub.StreamPoses(requests(), timeout=TIMEOUT)
    assert next(stream).HasField("started")
    assert busy.runner.has_begun()
    drained = busy.server.begin(busy.server.server.drain())
    assert next(stream).HasField("draining")
    assert [each.status for each in watch] == [NOT_SERVING]
    wait_until(lambda: not is_listening(busy.server.server.port))
    assert not drained.done()
    busy.runner.release()
    assert is_answer_to(1, next(stream).outcome.result.poses[0].keypoints[0].x)
    closing.set()
    assert list(stream) == []
    drained.result(TIMEOUT)


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_stream_without_a_config_ends_when_its_time_is_up() -> None:
    limits = ServiceLimits(life=SessionLife(config_secs=0.2))
    options = ServerOptions(address="127.0.0.1:0", limits=limits)
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    ended = threading.Event()

    def silent() -> Iterator[StreamPosesRequest]:
        ended.wait(TIMEOUT)
        yield from ()

    with serving(model, options=options) as server, channel_to(server) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            next(PoseServiceStub(channel).StreamPoses(silent(), timeout=TIMEOUT))
        ended.set()
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value) == "CONFIG_MISSING"


@pytest.mark.parametrize("window_bytes", [0, 65_535])
def test_a_client_that_reads_nothing_loses_its_stream(window_bytes: int) -> None:
    life = SessionLife(idle_secs=0.3, drain_secs=0.3, close_secs=0.3)
    options = ServerOptions(address="127.0.0.1:0", limits=ServiceLimits(streams=1, life=life))
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    config = StreamPosesRequest(config=stream_pb2.StreamConfig())

    def requests() -> Iterator[StreamPosesRequest]:
        yield config
        yield from map(frame_request, itertools.count(1))

    def has_place() -> bool:
        call = stub.StreamPoses(iter([config]), timeout=TIMEOUT)
        with suppress(grpc.RpcError):
            list(call)
        assert call.code() in {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
        return call.code() == grpc.StatusCode.OK

    deaf = [("grpc.http2.lookahead_bytes", window_bytes), ("grpc.http2.bdp_probe", 0)]
    with (
        serving(model, options=options) as server,
        channel_to(server) as channel,
        grpc.insecure_channel(server.address, options=deaf) as silent,
    ):
        stub = PoseServiceStub(channel)
        stream = PoseServiceStub(silent).StreamPoses(requests(), timeout=2 * TIMEOUT)
        assert stream.initial_metadata() is not None  # which needs no window
        assert not has_place()
        wait_until(has_place)
        stream.cancel()


def test_a_server_is_not_serving_until_its_models_are_there() -> None:
    begun: Future[Server] = Future()
    warm, ended = threading.Event(), threading.Event()
    runner = PaintingRunner(person_of)

    async def run() -> None:
        server = Server(ServerOptions(address="127.0.0.1:0"))
        await server.start()
        begun.set_result(server)
        await asyncio.to_thread(warm.wait, TIMEOUT)
        await server.open([painted_model(runner, size=SIDE)])
        await asyncio.to_thread(ended.wait, TIMEOUT)
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    address = f"127.0.0.1:{begun.result(TIMEOUT).port}"
    with grpc.insecure_channel(address) as channel:
        stub, health = PoseServiceStub(channel), health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            asked = health_pb2.HealthCheckRequest(service=service)
            assert health.Check(asked, timeout=TIMEOUT, wait_for_ready=True).status == NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.ListModels(messages.ListModelsRequest(), timeout=TIMEOUT)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert reason_of(caught.value) == "WARMING_UP"
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
        assert next(watch).status == NOT_SERVING
        warm.set()
        assert next(watch).status == SERVING
        assert stub.ListModels(messages.ListModelsRequest(), timeout=TIMEOUT).models
        watch.cancel()
        ended.set()
        thread.join(TIMEOUT)


def test_the_health_of_an_unknown_service_is_not_found(busy: Busy) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        busy.health.Check(health_pb2.HealthCheckRequest(service="sleep"), timeout=TIMEOUT)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
