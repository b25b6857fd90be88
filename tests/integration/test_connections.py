"""Limits on the connections of a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import grpc

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.transport.connections import ConnectionLimits
from tests.reference.numbered_frames import SIDE, frame_request, is_answer_to, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import ServerThread, channel_to, serving

TIMEOUT = 20


def options(limits: ConnectionLimits) -> ServerOptions:
    return ServerOptions(address="127.0.0.1:0", connections=limits)


def test_a_stream_goes_on_after_its_connection_has_aged() -> None:
    has_aged = threading.Event()

    def watch(state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.IDLE:
            has_aged.set()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        assert has_aged.wait(TIMEOUT)
        yield frame_request(1)

    model = painted_model(PaintingRunner(person_of), size=SIDE)
    limits = ConnectionLimits(max_age_secs=1)
    with serving(model, options=options(limits)) as server, channel_to(server) as channel:
        stream = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
        assert next(stream).HasField("started")
        channel.subscribe(watch)
        (response,) = stream
        assert is_answer_to(1, response.outcome.result.poses[0].keypoints[0].x)


def test_a_connection_too_many_is_closed_until_another_ends() -> None:
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with (
        serving(model, options=options(ConnectionLimits(count=2))) as server,
        ExitStack() as stack,
    ):
        first = connect(server)
        stack.enter_context(connect(server))
        with connect(server) as third:
            assert greeting(third) == b""
        first.close()
        for _ in range(1000):  # the server learns of it soon
            with connect(server) as another:
                if greeting(another):
                    return
        raise AssertionError("the place of a closed connection stays taken")


def connect(server: ServerThread) -> socket.socket:
    """Open a connection and wait until the server has accepted or closed it."""
    connection = socket.create_connection(("127.0.0.1", server.server.port), TIMEOUT)
    connection.recv(9, socket.MSG_PEEK)
    return connection


def greeting(connection: socket.socket) -> bytes:
    return connection.recv(9)
