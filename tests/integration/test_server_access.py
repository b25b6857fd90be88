"""A serving process whose callers need tokens."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.numbered_frames import numbered_image
from tests.reference.stub_process import StubProcess, stub_process
from tests.reference.waiting import wait_until

TIMEOUT = 60
SECRET = "correct-horse-battery-staple"


def table(name: str, token: str, **quota: float) -> str:
    lines = [f'name = "{name}"', f'sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"']
    lines += [f"{key} = {value}" for key, value in quota.items()]
    return "\n".join(["[[tokens]]", *lines, ""])


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    slow = table("slow", "slow", max_rate=0.01, max_streams=0)
    path.write_text(table("camera", SECRET, max_streams=1, weight=2) + slow)
    return path


@pytest.fixture
def process(tokens: Path) -> Iterator[StubProcess]:
    with stub_process("--tokens", str(tokens), "--reflection") as process:
        yield process


@pytest.fixture
def channel(process: StubProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(process.line()) as channel:
        yield channel


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def list_models(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> object:
    request = messages.ListModelsRequest()
    return PoseServiceStub(channel).ListModels(request, metadata=metadata, timeout=TIMEOUT)


def estimate(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> object:
    request = messages.EstimatePosesRequest(image=numbered_image(1))
    return PoseServiceStub(channel).EstimatePoses(request, metadata=metadata, timeout=TIMEOUT)


def open_stream(
    channel: grpc.Channel, token: str, is_over: Callable[[], bool] = lambda: True
) -> Iterator[messages.StreamPosesResponse]:
    def requests() -> Iterator[messages.StreamPosesRequest]:
        yield messages.StreamPosesRequest(config=stream_pb2.StreamConfig())
        wait_until(is_over)

    call: Iterator[messages.StreamPosesResponse] = PoseServiceStub(channel).StreamPoses(
        requests(), metadata=bearer(token), timeout=TIMEOUT
    )
    return call


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, ErrorInfo, float | None]:
    """Return code, information and retry delay of a call that is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info, retry = ErrorInfo(), RetryInfo()
    assert status.details[0].Unpack(info)
    has_delay = len(status.details) > 1 and status.details[1].Unpack(retry)
    secs = retry.retry_delay.ToMilliseconds() / 1000 if has_delay else None
    return caught.value.code(), info, secs


def reflect(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> list[object]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    return list(stub.ServerReflectionInfo(iter([request]), metadata=metadata, timeout=TIMEOUT))


def test_calls_need_a_token_except_health_checks(
    process: StubProcess, channel: grpc.Channel
) -> None:
    check = health_pb2.HealthCheckRequest(service="posewire.v1.PoseService")
    health = health_pb2_grpc.HealthStub(channel).Check(check, timeout=TIMEOUT)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    for call in (list_models, estimate, reflect):
        for metadata, reason in [((), "TOKEN_MISSING"), (bearer("wrong"), "TOKEN_UNKNOWN")]:
            code, info, retry = refusal(lambda: call(channel, metadata))  # noqa: B023 called here
            assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)
            assert (info.domain, retry) == ("posewire", None)
        assert call(channel, bearer(SECRET))
    code, info, _ = refusal(lambda: list(open_stream(channel, "wrong")))
    assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_UNKNOWN")
    process.signal(signal.SIGTERM)
    assert process.end() == (0, "")


def test_a_caller_over_its_quota_learns_which_and_when_to_come_back(
    channel: grpc.Channel,
) -> None:
    is_over = False
    stream = open_stream(channel, SECRET, lambda: is_over)
    assert next(stream).HasField("started")
    code, info, retry = refusal(lambda: list(open_stream(channel, SECRET)))
    assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STREAM_LIMIT_REACHED")
    assert dict(info.metadata) == {"caller": "camera", "limit": "max_streams", "value": "1"}
    assert retry == 1.0
    is_over = True
    assert list(stream) == []

    assert estimate(channel, bearer("slow"))
    code, info, retry = refusal(lambda: estimate(channel, bearer("slow")))
    assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMIT_REACHED")
    assert dict(info.metadata) == {"caller": "slow", "limit": "max_rate", "value": "0.01"}
    assert retry is not None
    assert 0 < retry <= 100
    code, info, retry = refusal(lambda: list(open_stream(channel, "slow")))
    assert (code, info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "STREAMS_NOT_ALLOWED")
    assert retry is None


def test_a_revoked_token_ends_its_streams_and_a_broken_file_changes_nothing(
    process: StubProcess, channel: grpc.Channel, tokens: Path
) -> None:
    is_drained = False
    stream = open_stream(channel, SECRET, lambda: is_drained)
    assert next(stream).HasField("started")
    tokens.write_text(f"{SECRET} = {SECRET}")
    line = process.error()
    assert f"tokens file not reloaded, the old one stays in use: tokens {tokens}" in line
    assert list_models(channel, bearer(SECRET))

    tokens.write_text(table("camera", "new"))
    process.signal(signal.SIGHUP)
    assert next(stream).HasField("draining")
    is_drained = True
    assert list(stream) == []
    code, info, _ = refusal(lambda: list_models(channel, bearer(SECRET)))
    assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_UNKNOWN")
    assert list_models(channel, bearer("new"))
    process.signal(signal.SIGTERM)
    code, err = process.end()
    assert code == 0
    assert SECRET not in line + err
