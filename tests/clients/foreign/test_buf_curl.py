"""`buf curl` calls the server, by reflection and by the proto files."""

from __future__ import annotations

import base64
import json
import subprocess

from google.protobuf.any_pb2 import Any

from tests.clients.foreign import calls, programs

FILES = ["--schema", str(programs.PROTO)]
# buf exits with eight times the code of the status.
INVALID_ARGUMENT = 8 * 3


def curl(
    address: str, method: str, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return programs.run(
        programs.buf(),
        "curl",
        "--protocol=grpc",
        "--http2-prior-knowledge",
        "--data=@-",
        *arguments,
        f"http://{address}/{calls.SERVICE}/{method}",
        stdin=stdin,
    )


def test_poses_are_those_of_the_python_client(reflecting: str) -> None:
    done = curl(reflecting, "EstimatePoses", stdin=calls.as_json(calls.ESTIMATE))
    assert (done.returncode, done.stderr) == (0, "")
    (document,) = calls.documents(done.stdout)
    assert calls.response(document) == calls.expected_response(reflecting)


def test_without_reflection_it_needs_the_files(address: str) -> None:
    request = calls.as_json(calls.ESTIMATE)
    done = curl(address, "EstimatePoses", stdin=request)
    assert done.returncode == 1
    assert calls.SERVICE in done.stderr
    done = curl(address, "EstimatePoses", *FILES, stdin=request)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_has_its_details(address: str) -> None:
    done = curl(address, "EstimatePoses", *FILES, stdin=calls.as_json(calls.REFUSED))
    assert (done.returncode, done.stdout) == (INVALID_ARGUMENT, "")
    received = json.loads(done.stderr)
    expected = calls.expected_status(address)
    assert (received["code"], received["message"]) == ("invalid_argument", expected.message)
    details = [
        Any(
            type_url=f"type.googleapis.com/{each['type']}",
            value=base64.b64decode(each["value"] + "=="),
        )
        for each in received["details"]
    ]
    assert details == list(expected.details)


def test_a_stream_from_stdin_has_an_outcome_for_each_frame(reflecting: str) -> None:
    done = curl(reflecting, "StreamPoses", stdin=calls.as_json(*calls.STREAM))
    assert (done.returncode, done.stderr) == (0, "")
    calls.check_stream(calls.documents(done.stdout), reflecting)
