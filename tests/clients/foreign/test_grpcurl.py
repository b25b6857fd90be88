"""grpcurl calls the server, by reflection and by the proto files."""

from __future__ import annotations

import subprocess

from tests.clients.foreign import calls, programs

FILES = ["-import-path", str(programs.PROTO), "-proto", "posewire/v1/pose_service.proto"]
# grpcurl exits with 64 and the code of the status.
INVALID_ARGUMENT = 64 + 3


def grpcurl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    program = programs.go_program("grpcurl")
    return programs.run(program, "-plaintext", "-max-time", "60", *arguments, stdin=stdin)


def test_reflection_lists_services_and_describes_methods(reflecting: str) -> None:
    listed = grpcurl(reflecting, "list")
    assert {calls.SERVICE, "grpc.health.v1.Health"} <= set(listed.stdout.split())
    described = grpcurl(reflecting, "describe", f"{calls.SERVICE}.StreamPoses")
    assert "rpc StreamPoses ( stream .posewire.v1.StreamPosesRequest )" in described.stdout


def test_without_reflection_it_says_so(address: str) -> None:
    done = grpcurl(address, "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert "server does not support the reflection API" in done.stderr


def test_poses_are_those_of_the_python_client(address: str) -> None:
    method = f"{calls.SERVICE}/EstimatePoses"
    done = grpcurl(*FILES, "-d", "@", address, method, stdin=calls.as_json(calls.ESTIMATE))
    assert (done.returncode, done.stderr) == (0, "")
    (document,) = calls.documents(done.stdout)
    assert calls.response(document) == calls.expected_response(address)


def test_an_error_has_its_details_by_reflection(reflecting: str) -> None:
    method = f"{calls.SERVICE}/EstimatePoses"
    arguments = ["-format-error", "-d", "@", reflecting, method]
    done = grpcurl(*arguments, stdin=calls.as_json(calls.REFUSED))
    assert (done.returncode, done.stdout) == (INVALID_ARGUMENT, "")
    (document,) = calls.documents(done.stderr)
    assert calls.status(document) == calls.expected_status(reflecting)


def test_a_stream_from_stdin_has_an_outcome_for_each_frame(reflecting: str) -> None:
    method = f"{calls.SERVICE}/StreamPoses"
    done = grpcurl("-d", "@", reflecting, method, stdin=calls.as_json(*calls.STREAM))
    assert (done.returncode, done.stderr) == (0, "")
    calls.check_stream(calls.documents(done.stdout), reflecting)
