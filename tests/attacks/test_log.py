"""What strangers can make a server write to its log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import grpc

from posewire.v1.pose_service_pb2 import ListModelsRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.raw_http2 import answer_headers
from tests.reference.stub_server import stub_server

LIST_MODELS = b"/posewire.v1.PoseService/ListModels"
SECS = 5
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]

Report = Callable[[str], None]


def test_calls_that_end_as_they_are_answered_are_not_logged(tmp_path: Path, report: Report) -> None:
    """Without the filter, gRPC logs nine tracebacks a second."""
    chance = random.Random(0)
    calls = 0
    with (
        (tmp_path / "stderr").open("w+") as stderr,
        stub_server(stderr=stderr) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        ask = PoseServiceStub(channel).ListModels
        ends = time.monotonic() + SECS
        while time.monotonic() < ends:
            waiting = [
                ask.future(ListModelsRequest(), timeout=chance.uniform(0.0005, 0.02))
                for _ in range(30)
            ]
            calls += len([each.code() for each in waiting])
        # On a connection of its own: this one may have calls left that the server has yet to end.
        with grpc.insecure_channel(server.address, OWN_CONNECTION) as another:
            assert PoseServiceStub(another).ListModels(ListModelsRequest(), timeout=60).models
        stderr.seek(0)
        lines = stderr.readlines()
    report(f"{calls} calls with short deadlines: {len(lines)} lines on stderr")
    assert lines == []


def test_headers_that_are_not_text_are_not_logged(tmp_path: Path, report: Report) -> None:
    count = 20
    with (tmp_path / "stderr").open("w+") as stderr, stub_server(stderr=stderr) as server:
        for _ in range(count):
            assert answer_headers(server.address, b"/\xff\xfe")
            assert answer_headers(server.address, LIST_MODELS, x=b"\xff\xfe")
            assert answer_headers(server.address, LIST_MODELS, grpc_timeout=b"soon")
        stderr.seek(0)
        lines = stderr.readlines()
    report(f"{3 * count} requests: {len(lines)} lines on stderr")
    assert len(lines) < 20
