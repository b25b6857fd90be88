"""What tools such as grpcurl ask a server."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from posewire_server.serving import reflection
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.streams.session import SessionLife
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import ServerOptions, channel_to, serving
from tests.reference.waiting import wait_until

TIMEOUT = 20
VERSIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")
SERVICES = [
    "grpc.health.v1.Health",
    *(f"{version}.ServerReflection" for version in VERSIONS),
    "posewire.v1.PoseService",
]
Ask = Callable[..., ServerReflectionResponse]


INFO = f"/{VERSIONS[0]}.ServerReflection/ServerReflectionInfo"
REQUEST = ServerReflectionRequest(list_services="").SerializeToString()


def asker(channel: grpc.Channel, version: str) -> Ask:
    """Return a function that asks one question, given as the fields of the request."""
    call = channel.stream_stream(
        f"/{version}.ServerReflection/ServerReflectionInfo",
        ServerReflectionRequest.SerializeToString,
        ServerReflectionResponse.FromString,
    )

    def ask(**question: Any) -> ServerReflectionResponse:
        (answer,) = call(iter([ServerReflectionRequest(**question)]), timeout=TIMEOUT)
        return answer

    return ask


def channel(*, reflection: bool) -> Iterator[grpc.Channel]:
    options = ServerOptions(address="127.0.0.1:0", reflection=reflection)
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=options) as server, channel_to(server) as opened:
        yield opened


@pytest.fixture(scope="module")
def reflecting() -> Iterator[grpc.Channel]:
    yield from channel(reflection=True)


def pool_of(contents: Iterable[bytes]) -> DescriptorPool:
    """Build the files, each after its dependencies."""
    files = {each.name: each for each in map(FileDescriptorProto.FromString, contents)}
    pool, added = DescriptorPool(), set[str]()

    def add(name: str) -> None:
        if name not in added:
            added.add(name)
            for dependency in files[name].dependency:
                add(dependency)
            pool.Add(files[name])

    for name in files:
        add(name)
    return pool


@pytest.mark.parametrize("version", VERSIONS)
def test_both_versions_list_and_describe_all_services(
    reflecting: grpc.Channel, version: str
) -> None:
    ask = asker(reflecting, version)
    listed = ask(list_services="").list_services_response.service
    assert [each.name for each in listed] == SERVICES
    for name in SERVICES:
        answer = ask(file_containing_symbol=name).file_descriptor_response
        service = pool_of(answer.file_descriptor_proto).FindServiceByName(name)
        package = name.rpartition(".")[0]
        assert all(each.input_type.full_name.startswith(package) for each in service.methods)
    assert ask(file_containing_symbol="no.Such").error_response.error_code == 5


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "symbol",
    [
        "posewire.v1.PoseService.EstimatePoses",
        "grpc.health.v1.Health.Check",
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest.FieldViolation",
        "google.rpc.RetryInfo",
    ],
)
def test_methods_and_types_of_details_are_found(
    reflecting: grpc.Channel, version: str, symbol: str
) -> None:
    answer = asker(reflecting, version)(file_containing_symbol=symbol).file_descriptor_response
    found = FileDescriptorProto.FromString(answer.file_descriptor_proto[0])
    names = [each.name for each in (*found.message_type, *found.service)]
    assert symbol.removeprefix(f"{found.package}.").split(".")[0] in names


@pytest.mark.parametrize("symbol", ["posewire.v1.PoseService.No", "posewire.v1", ""])
def test_unknown_symbols_are_not_found(reflecting: grpc.Channel, symbol: str) -> None:
    answer = asker(reflecting, VERSIONS[0])(file_containing_symbol=symbol)
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_that_are_no_message_are_answered(reflecting: grpc.Channel, version: str) -> None:
    call = reflecting.stream_stream(
        f"/{version}.ServerReflection/ServerReflectionInfo",
        None,
        ServerReflectionResponse.FromString,
    )
    (answer,) = call(iter([b"\xff"]), timeout=TIMEOUT)
    assert answer.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_reflection_is_a_switch(version: str) -> None:
    for plain in channel(reflection=False):
        with pytest.raises(grpc.RpcError) as caught:
            asker(plain, version)(list_services="")
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def refusal(responses: Iterable[bytes]) -> tuple[grpc.StatusCode, str]:
    """Return the error with which a call ends."""
    with pytest.raises(grpc.RpcError) as caught:
        list(responses)
    return caught.value.code(), caught.value.details()


def test_a_request_larger_than_a_name_is_rejected(reflecting: grpc.Channel) -> None:
    large = ServerReflectionRequest(file_by_filename="x" * 70_000).SerializeToString()
    code, details = refusal(reflecting.stream_stream(INFO)(iter([large]), timeout=TIMEOUT))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details == f"request: got {len(large)} bytes, want at most 65536"


def test_a_call_without_a_further_request_ends(
    reflecting: grpc.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def requests() -> Iterator[bytes]:
        yield REQUEST
        ended.wait(TIMEOUT)

    monkeypatch.setattr(reflection, "_RECEIVE_SECS", 0.2)
    responses = reflecting.stream_stream(INFO)(requests(), timeout=TIMEOUT)
    assert next(responses)
    assert refusal(responses)[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    ended.set()


def test_a_call_does_not_hold_a_drain() -> None:
    ended = threading.Event()

    def requests() -> Iterator[bytes]:
        yield REQUEST
        ended.wait(2 * TIMEOUT)

    limits = ServiceLimits(life=SessionLife(drain_secs=3 * TIMEOUT))
    options = ServerOptions(address="127.0.0.1:0", limits=limits, reflection=True)
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=options) as server, channel_to(server) as channel:
        responses = channel.stream_stream(INFO)(requests(), timeout=2 * TIMEOUT)
        assert next(responses)
        drained = server.begin(server.server.drain())
        assert refusal(responses)[0] == grpc.StatusCode.UNAVAILABLE
        drained.result(TIMEOUT)
        ended.set()


def test_calls_are_limited_in_number(
    reflecting: grpc.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask() -> list[bytes]:
        return list(reflecting.stream_stream(INFO)(iter([REQUEST]), timeout=TIMEOUT))

    def is_answered() -> bool:
        with suppress(grpc.RpcError):
            return len(ask()) == 1
        return False

    monkeypatch.setattr(reflection, "_MAX_CALLS", 1)
    open_call = reflecting.stream_stream(INFO)(itertools.repeat(REQUEST), timeout=TIMEOUT)
    assert next(open_call)
    with pytest.raises(grpc.RpcError, match="all 1 reflection calls are in use") as caught:
        ask()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    open_call.cancel()
    wait_until(is_answered)
