from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from posewire_server.serving.access.authentication import Access
from posewire_server.serving.access.quotas import Quota
from posewire_server.serving.access.tokens import Token
from posewire_server.serving.load_reports import LoadReportService, bounded_secs
from posewire_server.serving.messages import orca
from posewire_server.serving.messages.received import Received, deserializer
from posewire_server.serving.observation.load_report import load_report
from posewire_server.serving.scheduling.load import ModelLoad, ServiceLoad

PEER = "ipv4:192.0.2.1:5000"
TOKEN = Token("balancer", (hashlib.sha256(b"secret").digest(),), Quota())
BEARER = (("authorization", "Bearer secret"),)
LOAD = ServiceLoad(3, {"stub": ModelLoad(2, 1, utilization=1.5, results_per_sec=40.0)})
NO_ITERATOR: Any = None  # the service reads from the context

pytestmark = pytest.mark.anyio


class RefusedError(Exception):
    def __init__(self, status: Any) -> None:
        self.code = status.code
        info = ErrorInfo()
        details = dict(status.trailing_metadata)["grpc-status-details-bin"]
        assert rpc_status.status_pb2.Status.FromString(details).details[0].Unpack(info)
        self.reason = info.reason


class Context:
    """A call that sends one request and half-closes."""

    def __init__(
        self,
        request: Received[Any] | None = None,
        *,
        peer: str = PEER,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._requests = [request or Received(orca.OrcaLoadReportRequest(), 0)]
        self._peer = peer
        self._metadata = metadata

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    async def read(self) -> object:
        return self._requests.pop() if self._requests else grpc.aio.EOF

    async def abort_with_status(self, status: Any) -> None:
        raise RefusedError(status)


def service(access: Access | None = None, *, is_mutual: bool = False) -> LoadReportService:
    return LoadReportService(lambda: LOAD, access or Access(streams=1), is_mutual=is_mutual)


def reports(service: LoadReportService, context: Context | None = None) -> AsyncIterator[Any]:
    call: Any = context or Context()
    return service.StreamCoreMetrics(NO_ITERATOR, call)


async def refusal(stream: AsyncIterator[Any]) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        await anext(stream)
    return caught.value.code.name, caught.value.reason


def test_a_report_has_the_busiest_model_and_the_frames_of_all() -> None:
    models = {
        "idle": ModelLoad(waiting=1, busy=0, utilization=0.25, results_per_sec=2.5),
        "busy": ModelLoad(waiting=4, busy=1, utilization=3.0, results_per_sec=20.0),
    }
    report = load_report(ServiceLoad(7, models))
    assert report.application_utilization == 3.0
    assert report.rps_fractional == 22.5
    assert dict(report.named_metrics) == {"queue_depth": 5, "streams": 7}


def test_a_server_without_recent_frames_reports_no_speed() -> None:
    past = ModelLoad(waiting=0, busy=0, utilization=1e-4, results_per_sec=1e-3)
    for load in (ServiceLoad(), ServiceLoad(0, {"stub": past})):
        report = load_report(load)
        assert (report.application_utilization, report.rps_fractional) == (0, 0)
        assert dict(report.named_metrics) == {"queue_depth": 0, "streams": 0}


def test_the_messages_have_the_numbers_of_the_protocol() -> None:
    """The bytes are those of xds-protos 1.85.0."""
    report = orca.OrcaLoadReport(rps_fractional=2.5, application_utilization=0.5)
    report.named_metrics["queue_depth"] = 3
    assert report.SerializeToString() == bytes.fromhex(
        "31000000000000044042160a0b71756575655f646570746811000000000000084049000000000000e03f"
    )
    received = deserializer(orca.OrcaLoadReportRequest)(bytes.fromhex("0a0408021005120161"))
    assert received.message.report_interval.seconds == 2
    assert received.message.report_interval.nanos == 5
    assert [*received.message.request_cost_names] == ["a"]


@pytest.mark.parametrize(
    ("seconds", "nanos", "want"),
    [
        (0, 0, 1),
        (0, 1, 1),
        (2, 500_000_000, 2.5),
        (-5, 0, 1),
        (10, -(1 << 31), 10 - (1 << 31) / 1e9),
        (-(1 << 63), -(1 << 31), 1),
        ((1 << 63) - 1, (1 << 31) - 1, 60),
    ],
)
def test_any_interval_becomes_one_within_bounds(seconds: int, nanos: int, want: float) -> None:
    assert bounded_secs(seconds, nanos) == pytest.approx(want)


async def test_reports_are_repeated() -> None:
    async with aclosing(reports(service())) as stream:
        for _ in range(2):
            assert (await anext(stream)).application_utilization == 1.5


async def test_bytes_that_are_no_request_are_rejected() -> None:
    garbage = Context(deserializer(orca.OrcaLoadReportRequest)(b"\xff"))
    assert await refusal(reports(service(), garbage)) == ("INVALID_ARGUMENT", "MESSAGE_MALFORMED")


async def test_streams_are_bounded_for_a_host_and_in_total() -> None:
    served = service()
    async with AsyncExitStack() as stack:

        async def open_streams(count: int, host: str) -> None:
            for port in range(count):
                stream = reports(served, Context(peer=f"ipv4:{host}:{port}"))
                await stack.enter_async_context(aclosing(stream))
                assert await anext(stream)

        await open_streams(128, "192.0.2.1")
        limit = ("RESOURCE_EXHAUSTED", "STREAM_LIMIT_REACHED")
        assert await refusal(reports(served)) == limit
        await open_streams(128, "192.0.2.2")
        other = Context(peer="ipv4:192.0.2.3:1")
        assert await refusal(reports(served, other)) == limit
    async with aclosing(reports(served)) as stream:
        assert await anext(stream)


async def test_closing_ends_the_streams_and_rejects_others() -> None:
    served = service()
    stream = reports(served)
    assert await anext(stream)
    waiting = asyncio.create_task(refusal(stream))
    await asyncio.sleep(0)
    served.close()
    assert await waiting == ("UNAVAILABLE", "DRAINING")
    assert await refusal(reports(served)) == ("UNAVAILABLE", "DRAINING")


async def test_a_token_is_needed_from_other_machines_without_certificates() -> None:
    access = Access([TOKEN], streams=1)
    missing = ("UNAUTHENTICATED", "TOKEN_MISSING")
    assert await refusal(reports(service(access))) == missing
    wrong = Context(metadata=(("authorization", "Bearer wrong"),))
    assert await refusal(reports(service(access), wrong)) == ("UNAUTHENTICATED", "TOKEN_UNKNOWN")
    for served, context in (
        (service(access), Context(metadata=BEARER)),
        (service(access), Context(peer="ipv4:127.0.0.1:5000")),
        (service(access, is_mutual=True), Context()),
    ):
        async with aclosing(reports(served, context)) as stream:
            assert await anext(stream)


async def test_a_token_that_is_removed_ends_its_stream() -> None:
    access = Access([TOKEN], streams=1)
    stream = reports(service(access), Context(metadata=BEARER))
    assert await anext(stream)
    access.replace([])
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
