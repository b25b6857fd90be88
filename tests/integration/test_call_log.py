"""What a real server logs of its calls."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.observation.call_log import CALLS
from posewire_server.serving.server import ServerOptions
from tests.reference.numbered_frames import SIDE, frame_request, numbered_image, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import channel_to, serving

TIMEOUT = 20
METADATA = (("x-request-id", "of-the-test"),)


def fail(_: NDArray[np.uint8]) -> NDArray[np.float64]:
    raise ZeroDivisionError("a defect")


def test_calls_and_streams_are_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, CALLS)
    models = (
        painted_model(PaintingRunner(person_of), size=SIDE),
        painted_model(PaintingRunner(fail), name="broken", size=SIDE),
    )
    with serving(*models) as server, channel_to(server) as channel:
        stub = PoseServiceStub(channel)
        config = StreamPosesRequest(config=stream_pb2.StreamConfig())
        requests = [config, *(frame_request(number) for number in range(1, 4))]
        list(stub.StreamPoses(iter(requests), timeout=TIMEOUT, metadata=METADATA))
        request = messages.EstimatePosesRequest(image=numbered_image(1), model="broken")
        failed = stub.EstimatePoses.future(request, timeout=TIMEOUT, metadata=METADATA)
        assert failed.code() is grpc.StatusCode.INTERNAL
    defect, *lines = sorted(caplog.records, key=lambda each: each.levelname)
    assert "answered as INTERNAL; request of-the-test" in defect.getMessage()
    assert defect.exc_info is not None
    stream, unary = (without_noise(each) for each in lines)
    assert stream == {
        "method": "StreamPoses",
        "request_id": "of-the-test",
        "model": "painted",
        "code": "OK",
        "frames": {"result": 3},
    }
    assert unary == {
        "method": "EstimatePoses",
        "request_id": "of-the-test",
        "model": "broken",
        "code": "INTERNAL",
        "reason": "INTERNAL",
        "error": "internal error; see the server's log",
        "frames": {"error": 1},
        "frame_reasons": {"INTERNAL": 1},
    }


def test_the_line_names_the_caller_and_not_the_token(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, CALLS)
    token = "correct-horse-battery-staple"
    digest = hashlib.sha256(token.encode()).hexdigest()
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'[[tokens]]\nname = "camera"\nsha256 = "{digest}"\n')
    options = ServerOptions(address="127.0.0.1:0", tokens=tokens)
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=options) as server, channel_to(server) as channel:
        stub = PoseServiceStub(channel)
        request = messages.ListModelsRequest()
        metadata = (("authorization", f"Bearer {token}"),)
        stub.ListModels(request, timeout=TIMEOUT, metadata=metadata)
        refused = stub.ListModels.future(request, timeout=TIMEOUT)
        assert refused.code() is grpc.StatusCode.UNAUTHENTICATED
    named, unnamed = (record.__dict__["fields"] for record in caplog.records)
    assert (named["caller"], named["code"]) == ("camera", "OK")
    assert unnamed["code"] == "UNAUTHENTICATED"
    assert "caller" not in unnamed
    assert "staple" not in caplog.text


def without_noise(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a record without those that differ from run to run."""
    fields = dict(record.__dict__["fields"])
    assert fields.pop("peer").startswith("ipv4:127.0.0.1:")
    assert 0 < fields.pop("duration_secs") < TIMEOUT
    return fields
