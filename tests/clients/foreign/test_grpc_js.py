"""grpc-js of Node.js calls the server, by the proto files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posewire_server.sample import STILL
from tests.clients.foreign import calls, programs

CLIENT = Path(__file__).parent / "client.cjs"


def call(address: str, method: str, message: dict[str, Any], *files: Path) -> list[dict[str, Any]]:
    """Return the responses, and the status as the last document."""
    modules = str(programs.node_modules())
    command = ["node", CLIENT, address, method, json.dumps(message), *files]
    done = programs.run(*command, env={"NODE_PATH": modules})
    assert (done.returncode, done.stderr) == (0, "")
    return calls.documents(done.stdout)


@pytest.fixture
def no_image(tmp_path: Path) -> Path:
    path = tmp_path / "no_image"
    path.write_bytes(calls.NO_IMAGE)
    return path


def test_poses_are_those_of_the_python_client(address: str) -> None:
    document, status = call(address, "estimate", {}, STILL)
    assert calls.status(status) == calls.OK
    assert calls.response(document) == calls.expected_response(address)


def test_an_error_has_its_details(address: str) -> None:
    (status,) = call(address, "estimate", {"max_poses": 0, "min_pose_score": 2}, STILL)
    assert calls.status(status) == calls.expected_status(address)


def test_a_stream_has_an_outcome_for_each_frame(address: str, no_image: Path) -> None:
    *responses, status = call(address, "stream", {}, STILL, no_image, STILL)
    assert calls.status(status) == calls.OK
    calls.check_stream(responses, address)


def test_a_stream_of_the_latest_frames_accounts_for_all(address: str, no_image: Path) -> None:
    config = {"delivery_policy": "DELIVERY_POLICY_LATEST", "max_frames_in_flight": 4}
    files = [STILL, no_image, *[STILL] * 6]
    *responses, status = call(address, "stream", config, *files)
    assert calls.status(status) == calls.OK
    started, *outcomes = ({**each} for each in responses)
    assert started["started"]["max_frames_in_flight"] == 4
    outcomes = [each["outcome"] for each in outcomes]
    assert [int(each["frame_id"]) for each in outcomes] == list(range(1, len(files) + 1))
    skipped = 0
    for outcome in outcomes:
        assert int(outcome.get("frames_skipped_before", 0)) == skipped
        if "skipped" in outcome:
            assert outcome["skipped"]["reason"] == "SKIP_REASON_SUPERSEDED"
            skipped += 1
    assert outcomes[-1]["result"]["poses"]


def test_a_bad_config_ends_the_stream(address: str) -> None:
    (status,) = call(address, "stream", {"max_frames_in_flight": 0}, STILL)
    (info, request) = status["details"]
    assert (status["code"], info["reason"]) == (3, "FIELD_INVALID")
    assert request["field_violations"][0]["field"] == "config.max_frames_in_flight"
