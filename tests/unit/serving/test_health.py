from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from posewire_server.serving.health import HealthService
from posewire_server.serving.messages.received import Received

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
NO_ITERATOR: Any = None  # the service reads from the context

pytestmark = pytest.mark.anyio
PEER = "ipv4:192.0.2.1:5000"


class Context:
    """A call whose client sends `requests` and half-closes."""

    def __init__(
        self, *requests: Received[health_pb2.HealthCheckRequest], peer: str = PEER
    ) -> None:
        self._requests = list(requests)
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    async def read(self) -> object:
        return self._requests.pop(0) if self._requests else grpc.aio.EOF

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise RuntimeError(code, details)


def asking(service: str, *, peer: str = PEER) -> Context:
    request = health_pb2.HealthCheckRequest(service=service)
    return Context(Received(request, size=1), peer=peer)


def watch(health: HealthService, service: str = "", *, peer: str = PEER) -> AsyncIterator[int]:
    async def statuses() -> AsyncIterator[int]:
        async for response in health.Watch(NO_ITERATOR, asking(service, peer=peer)):
            yield response.status

    return statuses()


async def test_every_watcher_learns_of_a_change_whoever_leaves() -> None:
    health = HealthService("poses")
    watchers = [watch(health) for _ in range(3)]
    assert [await anext(each) for each in watchers] == [NOT_SERVING] * 3
    waiting = [asyncio.create_task(anext(each)) for each in watchers]
    await asyncio.sleep(0)
    waiting.pop(1).cancel()
    await asyncio.sleep(0)
    late = watch(health, "poses")
    assert await anext(late) == NOT_SERVING
    health.set_serving(True)
    assert await asyncio.gather(*waiting, anext(late)) == [SERVING] * 3


async def test_a_watcher_that_does_not_read_holds_nobody_up() -> None:
    health = HealthService()
    slow, quick = watch(health), watch(health)
    assert await anext(slow) == NOT_SERVING
    for is_serving in (True, False, True):
        health.set_serving(is_serving)
        assert await anext(quick) == (SERVING if is_serving else NOT_SERVING)
    assert await anext(slow) == SERVING


async def test_closing_ends_the_watchers_with_not_serving() -> None:
    health = HealthService()
    health.set_serving(True)
    watcher = watch(health)
    assert await anext(watcher) == SERVING
    health.close()
    assert [status async for status in watcher] == [NOT_SERVING]


async def test_an_unknown_service_is_watched_as_unknown_and_not_found_by_a_check() -> None:
    health = HealthService("poses")
    assert await anext(watch(health, "sleep")) == UNKNOWN
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        await health.Check(NO_ITERATOR, asking("sleep"))


async def test_a_request_that_is_not_a_message_is_an_invalid_argument() -> None:
    with pytest.raises(RuntimeError, match=r"INVALID_ARGUMENT.*got 3 bytes"):
        await HealthService().Check(NO_ITERATOR, Context(Received(None, size=3)))


async def test_a_call_without_a_request_asks_about_the_whole_server() -> None:
    assert (await HealthService().Check(NO_ITERATOR, Context())).status == NOT_SERVING


@pytest.mark.parametrize("limit", ["_MAX_WATCHERS", "_MAX_WATCHERS_PER_HOST"])
async def test_watchers_beyond_the_limit_are_rejected(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"posewire_server.serving.health.{limit}", 2)
    health = HealthService()
    watchers = [watch(health) for _ in range(3)]
    assert [await anext(each) for each in watchers[:2]] == [NOT_SERVING] * 2
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        await anext(watchers[2])
    health.close()
    with pytest.raises(StopAsyncIteration):
        await anext(watchers[0])
    assert await anext(watch(health)) == NOT_SERVING


async def test_watchers_of_one_host_leave_some_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posewire_server.serving.health._MAX_WATCHERS_PER_HOST", 1)
    health = HealthService()
    ours, others = watch(health), watch(health, peer="ipv4:192.0.2.2:5000")
    assert [await anext(ours), await anext(others)] == [NOT_SERVING] * 2
