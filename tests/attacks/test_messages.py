"""Wrong messages, abandoned frames, and extreme settings: the server's log stays empty."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from posewire.v1 import image_pb2
from posewire.v1.pose_service_pb2 import ListModelsRequest, StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire.v1.stream_pb2 import DELIVERY_POLICY_LATEST, StreamConfig
from posewire_server.serving.service import SERVICE
from tests.reference.numbered_frames import frame_request
from tests.reference.server_process import server_process
from tests.reference.stub_process import stub_process

TIMEOUT = 60
WINDOW = 8
MAX_IMAGE_BYTES = 2**30 - 1
CONFIG = StreamPosesRequest(config=StreamConfig()).SerializeToString()
MALFORMED = b"\xff"

Report = Callable[[str], None]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(directory: Path) -> Iterator[str]:
    """The Unix socket of a server with the largest limit on image bytes."""
    with (
        (directory / "log").open("w") as log,
        server_process(
            "tests.reference.stub_server",
            *("--address", f"unix:{directory}/posewire.sock"),
            *("--max-image-bytes", str(MAX_IMAGE_BYTES)),
            *("--secs", "0.5"),
            stderr=log,
        ) as server,
    ):
        yield server.address


@pytest.fixture
def channel(address: str, directory: Path) -> Iterator[grpc.Channel]:
    """A channel to the server, whose log must stay empty."""
    with grpc.insecure_channel(address) as channel:
        yield channel
        assert PoseServiceStub(channel).ListModels(ListModelsRequest(), timeout=TIMEOUT).models
    assert (directory / "log").read_text() == ""


def latest(age: Duration) -> bytes:
    config = StreamConfig(delivery_policy=DELIVERY_POLICY_LATEST, max_frame_age=age)
    return StreamPosesRequest(config=config).SerializeToString()


@pytest.mark.parametrize(
    "messages",
    [
        [latest(Duration(seconds=2**63 - 1))],
        [latest(Duration(seconds=-(2**63), nanos=-(2**31)))],
        [MALFORMED],
        [CONFIG, MALFORMED],
    ],
    ids=["longest age", "shortest age", "no config", "no frame"],
)
def test_wrong_messages_of_a_stream_are_invalid_arguments(
    channel: grpc.Channel, report: Report, messages: list[bytes]
) -> None:
    """They are not defects of the server, and so not in its log either."""
    call = channel.stream_stream(f"/{SERVICE}/StreamPoses")(iter(messages), timeout=TIMEOUT)
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    report(f"{caught.value.code().name}: {caught.value.details()}")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_abandoned_streams_with_bad_frames_leave_no_errors_behind(
    channel: grpc.Channel, report: Report
) -> None:
    """They are abandoned when the server has read them, and none has an outcome yet."""
    bad = image_pb2.Image(encoded=image_pb2.EncodedImage(data=b"no image"))
    frames = [frame_request(1), *(frame_request(i, bad) for i in range(2, WINDOW))]
    messages = [CONFIG, *(each.SerializeToString() for each in frames)]
    endings = ([], [messages[1]], [MALFORMED], [CONFIG])
    call = channel.stream_stream(f"/{SERVICE}/StreamPoses")
    streams = [call(iter([*messages, *each]), timeout=TIMEOUT) for each in endings * 8]
    assert all(next(each) for each in streams)
    time.sleep(0.5)
    for each in streams:
        each.cancel()
    codes = Counter(each.code().name for each in streams)
    report(f"{dict(codes)}")
    assert set(codes) == {"CANCELLED"}


def test_a_second_server_does_not_take_over_a_unix_path(
    address: str, channel: grpc.Channel, report: Report
) -> None:
    with stub_process("--address", address) as second:
        code, err = second.end()
    report(err.splitlines()[-1])
    assert code != 0
    assert f"address {address}: another program listens there" in err


def test_the_largest_limit_on_image_bytes_is_served(channel: grpc.Channel, report: Report) -> None:
    """The largest that `--max-image-bytes` takes."""
    stub = PoseServiceStub(channel)
    requests = [StreamPosesRequest(config=StreamConfig()), frame_request(1)]
    started, answered = stub.StreamPoses(iter(requests), timeout=TIMEOUT)
    report(f"{started.started.max_image_bytes} bytes")
    assert started.started.max_image_bytes == MAX_IMAGE_BYTES
    assert answered.outcome.HasField("result")
