"""A host that opens all calls that the server allows, and sends or reads nothing in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from posewire_server.serving.service import SERVICE
from tests.reference.raw_http2 import answer_headers_to, unread_calls
from tests.reference.stub_server import stub_server

pytestmark = pytest.mark.anyio

TIMEOUT = 20
CONNECTIONS, CALLS_EACH = 8, 128
CALLS = CONNECTIONS * CALLS_EACH
HELD = 256  # the most that the server holds for one host
ESTIMATE = f"/{SERVICE}/EstimatePoses"
ARRIVAL_SECS = 2  # more than the server takes to receive and answer these calls
LIST = f"/{SERVICE}/ListModels"


class SilentCalls:
    """Calls without a message, during a block; `errors` are those of calls that have ended."""

    def __init__(self, address: str) -> None:
        self.errors: list[grpc.aio.AioRpcError] = []
        self._address = address

    async def __aenter__(self) -> SilentCalls:
        own = [("grpc.use_local_subchannel_pool", 1)]
        self._channels = [
            grpc.aio.insecure_channel(self._address, options=own) for _ in range(CONNECTIONS)
        ]
        self._calls = [
            asyncio.create_task(self._call(channel))
            for channel in self._channels
            for _ in range(CALLS_EACH)
        ]
        return self

    async def __aexit__(self, *error: object) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def wait_for_errors(self, count: int) -> None:
        ends = monotonic() + TIMEOUT
        while len(self.errors) < count:
            assert monotonic() < ends, f"got {len(self.errors)} errors, want {count}"
            await asyncio.sleep(0.01)

    async def _call(self, channel: grpc.aio.Channel) -> None:
        try:
            await channel.stream_unary(ESTIMATE)(timeout=2 * TIMEOUT)
        except grpc.aio.AioRpcError as error:
            self.errors.append(error)


def reason_of(error: grpc.aio.AioRpcError) -> tuple[str, int]:
    """Return the reason and the retry delay in milliseconds."""
    status = rpc_status.from_call(error)
    assert status is not None
    info, retry = ErrorInfo(), RetryInfo()
    assert status.details[0].Unpack(info)
    for detail in status.details[1:]:
        detail.Unpack(retry)
    return info.reason, retry.retry_delay.ToMilliseconds()


async def test_one_host_does_not_use_up_the_calls_of_the_server(
    report: Callable[[str], None],
) -> None:
    with stub_server(patience=1) as server:
        async with (
            SilentCalls(server.address) as silent,
            grpc.aio.insecure_channel(server.address) as channel,
        ):
            await silent.wait_for_errors(CALLS - HELD)
            reasons = {reason_of(each) for each in silent.errors}
            request = HealthCheckRequest()
            health = await HealthStub(channel).Check(request, timeout=TIMEOUT)
            began = monotonic()
            headers, source = {b":path": ESTIMATE.encode()}, ("127.0.0.2", 0)
            other = await asyncio.to_thread(
                answer_headers_to, server.address, headers, source=source
            )
            secs = monotonic() - began
    report(
        f"{len(silent.errors)} of {CALLS} silent calls of one host have ended; "
        f"the call of another host took {secs:.1f} s"
    )
    assert ("CALL_LIMIT_REACHED", 200) in reasons
    assert reasons <= {("CALL_LIMIT_REACHED", 200), ("DEADLINE_MISSED", 0)}
    assert health.status == HealthCheckResponse.SERVING
    assert b"grpc-status\x013" in other, "INVALID_ARGUMENT: it has no image"


@pytest.mark.parametrize("path", [LIST, f"/{HEALTH}/Check"], ids=["poses", "health"])
async def test_a_host_that_reads_nothing_leaves_calls_to_others(
    report: Callable[[str], None], path: str
) -> None:
    headers, source = {b":path": LIST.encode()}, ("127.0.0.2", 0)
    with stub_server() as server, ExitStack() as connections:
        for _ in range(CONNECTIONS):
            calls = unread_calls(server.address, path.encode(), count=CALLS_EACH)
            connections.enter_context(calls)
        await asyncio.sleep(ARRIVAL_SECS)
        began = monotonic()
        other = await asyncio.to_thread(answer_headers_to, server.address, headers, source=source)
        secs = monotonic() - began
    report(f"beside {CALLS} unread calls, the call of another host took {secs:.1f} s")
    assert b"grpc-status\x010" in other
