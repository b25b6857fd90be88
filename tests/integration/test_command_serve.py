"""`posewire serve` as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import openvino as ov
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from posewire.v1 import image_pb2, model_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.colour_network import colour_network, painted_frame, person_at

TIMEOUT = 120


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "colours.xml"
    ov.save_model(colour_network(), path, compress_to_fp16=False)
    return path


@contextmanager
def serve(*arguments: str, before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Run the command; `before` is a program that runs it."""
    command = [*before, sys.executable, "-W", "error", "-m", "posewire_cli", "serve"]
    quiet = () if "--metrics-address" in arguments else ("--metrics-address", "none")
    with subprocess.Popen(
        [*command, "--address", "127.0.0.1:0", "--threads", "1", *quiet, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("posewire serves at "), (line, process.communicate()[1])
    return line.split()[-1]


def stopped(process: subprocess.Popen[str], *, by: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(by)
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out, err


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_server_answers_when_it_says_it_is_ready_and_ends_on_a_signal(
    network: Path, by: signal.Signals
) -> None:
    truth = person_at(41, 31, 30)
    frame = painted_frame(320, 256, [truth])
    raw = image_pb2.RawImage(
        data=frame.tobytes(), width=320, height=256, pixel_format=image_pb2.PIXEL_FORMAT_BGR8
    )
    request = messages.EstimatePosesRequest(image=image_pb2.Image(raw=raw))
    with serve("--model", str(network)) as process:
        with grpc.insecure_channel(address_of(process)) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            check = health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
            assert check.status == health_pb2.HealthCheckResponse.SERVING
            stub = PoseServiceStub(channel)
            (pose,) = stub.EstimatePoses(request, timeout=TIMEOUT).poses
            for found, (x, y) in zip(pose.keypoints, truth, strict=True):
                assert (found.x, found.y) == pytest.approx((x, y), abs=0.5)
            model = stub.GetModel(messages.GetModelRequest(), timeout=TIMEOUT).model
            assert (model.name, model.precision) == ("colours", model_pb2.PRECISION_FP32)
            sizes = [(each.width, each.height) for each in model.input_sizes]
            assert sizes == [(928, 512), (704, 512), (512, 512), (512, 704), (512, 928)]
        assert stopped(process, by=by) == (0, "", "")


def test_the_second_signal_does_not_wait(network: Path) -> None:
    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        process.wait(TIMEOUT)

    with (
        serve("--model", str(network), "--grace", "600") as process,
        grpc.insecure_channel(address_of(process)) as channel,
    ):
        stream = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
        assert next(stream).HasField("started")
        process.send_signal(signal.SIGTERM)
        assert next(stream).HasField("draining")
        assert stopped(process, by=signal.SIGTERM)[0] == 128 + signal.SIGTERM
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_file_says_what_to_serve_and_where_to_keep_compiled_networks(
    network: Path, tmp_path: Path
) -> None:
    compiled = tmp_path / "compiled"
    file = tmp_path / "posewire.toml"
    file.write_text(f'model = ["{network}"]\ncompiled-cache = "{compiled}"\n')
    with serve("--config", str(file)) as process:
        address_of(process)
        assert stopped(process, by=signal.SIGTERM) == (0, "", "")
    assert list(compiled.iterdir())


def test_a_full_disk_for_compiled_networks_is_survived(network: Path, tmp_path: Path) -> None:
    # The disk is full after a kibibyte of each file.
    full = ("bash", "-c", 'ulimit -f 1; exec "$@"', "bash")
    cache = ("--model", str(network), "--compiled-cache", str(tmp_path))
    with serve(*cache, before=full) as process:
        address_of(process)
        assert stopped(process, by=signal.SIGTERM) == (0, "", "")
    with serve(*cache) as process:  # it does not read what was cut off
        address_of(process)
        assert stopped(process, by=signal.SIGTERM) == (0, "", "")
    assert any(each.stat().st_size > 1024 for each in tmp_path.iterdir())


def test_calls_are_logged_as_json(network: Path) -> None:
    with serve("--model", str(network), "--log-format", "json") as process:
        with grpc.insecure_channel(address_of(process)) as channel:
            stub = PoseServiceStub(channel)
            stub.ListModels(messages.ListModelsRequest(), timeout=TIMEOUT)
            unknown = stub.GetModel.future(messages.GetModelRequest(model="no"), timeout=TIMEOUT)
            assert unknown.code() is grpc.StatusCode.NOT_FOUND
        code, _, err = stopped(process, by=signal.SIGTERM)
    assert code == 0
    first, second = map(json.loads, err.splitlines())
    assert (first["method"], first["code"]) == ("ListModels", "OK")
    assert (second["method"], second["reason"]) == ("GetModel", "MODEL_NOT_FOUND")
    assert second["request_id"] == dict(unknown.trailing_metadata())["x-request-id"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--model", "no-such-model"], "'no-such-model' is neither in the catalog"),
        (["--model", "NETWORK", "--device", "NPU9"], "device NPU9"),
        (["--model", "NETWORK", "--address", "TAKEN"], "cannot listen there"),
        (["--model", "NETWORK", "--metrics-address", "TAKEN"], "metrics address 127.0.0.1:"),
        (["--model", "NETWORK", "--model", "NETWORK"], "got 2 models named colours"),
        (["--model", "no-such-model", "--processes", "2"], "neither in the catalog"),
        (["--model", "NETWORK", "--processes", "2", "--address", "unix:a"], "share a Unix socket"),
    ],
    ids=["model", "device", "address", "metrics", "name twice", "processes", "shared socket"],
)
def test_what_cannot_be_served_is_one_line(
    network: Path, arguments: list[str], complaint: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stand_for = {"NETWORK": str(network), "TAKEN": f"127.0.0.1:{taken.getsockname()[1]}"}
        with serve(*(stand_for.get(each, each) for each in arguments)) as process:
            out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("posewire: ")
    assert complaint in err
