"""Calls and streams that end from this side: a closed client or channel, a cancelled source."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

from posewire_client import AsyncClient, Client, ClientClosedError, SourceCancelledError, backoff
from posewire_client.blocking_stream import BlockingStream
from posewire_client.request import frame_request
from posewire_client.waiting import CallWait, WaitReporter
from tests.reference.client_session import session_of
from tests.reference.scripted_service import (
    Request,
    Response,
    ScriptedService,
    StatusRaised,
    answer_one,
    result_for,
    started,
    status,
)
from tests.reference.waiting import finish_in_time, wait_until

IMAGE = b"image"
PATIENCE_SECS = 20


@pytest.fixture(autouse=True)
def long_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this file may wait for a delay to end."""
    monkeypatch.setattr(backoff, "INITIAL_DELAY_SECS", 1e6)
    monkeypatch.setattr(backoff, "MAX_DELAY_SECS", 1e6)


@pytest.fixture
def silent_target(service: ScriptedService, target: str) -> Iterator[str]:
    """A server that answers only the first frame of a stream, and no image."""
    test_ended = threading.Event()

    def answer_first(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        yield started()
        yield result_for(next(requests))
        test_ended.wait(PATIENCE_SECS)

    def estimate(request: Any) -> Message:
        test_ended.wait(PATIENCE_SECS)
        return answer_one(request)

    service.streams, service.estimates = [answer_first], [estimate]
    yield target
    test_ended.set()


@pytest.fixture
def refusing_target(service: ScriptedService, target: str) -> str:
    """A server that is unavailable."""

    def refuse(requests: Iterator[Request]) -> Iterator[Response]:
        next(requests)
        raise StatusRaised(status(14, "not now"))
        yield

    def estimate(request: Any) -> Message:
        raise StatusRaised(status(14, "not now"))

    service.streams, service.estimates = [refuse], [estimate]
    return target


@pytest.fixture
def complaints() -> Iterator[list[Any]]:
    """What asyncio reports about tasks, such as exceptions that were never retrieved."""
    reported: list[Any] = []
    yield reported
    gc.collect()
    assert reported == []


def patient(target: str) -> Client:
    return Client(target, retry_for_secs=None)


def patient_async(target: str) -> AsyncClient:
    return AsyncClient(target, retry_for_secs=None)


def endless() -> Iterator[bytes]:
    while True:
        yield IMAGE


# Closing the client


def test_closing_ends_a_stream(silent_target: str) -> None:
    client = patient(silent_target)
    outcomes = client.stream([IMAGE] * 3)
    assert next(outcomes).frame_id == 1
    threading.Timer(0.1, client.close).start()
    with pytest.raises(ClientClosedError, match="before the last outcome"):
        finish_in_time(lambda: next(outcomes))


def test_closing_ends_a_stream_that_waits_to_reopen(
    service: ScriptedService, refusing_target: str
) -> None:
    client = patient(refusing_target)
    outcomes = client.stream(endless())

    def close() -> None:
        wait_until(lambda: len(service.frames_sent) == 1)
        client.close()

    threading.Thread(target=close).start()
    with pytest.raises(ClientClosedError):
        finish_in_time(lambda: next(outcomes))


def test_closing_ends_a_call(silent_target: str) -> None:
    client = patient(silent_target)
    threading.Timer(0.1, client.close).start()
    with pytest.raises(ClientClosedError):
        finish_in_time(lambda: client.estimate(IMAGE))


def test_closing_ends_a_call_that_waits_to_be_retried(
    service: ScriptedService, refusing_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff.Attempts, "delay_after", lambda *args: 1e6)
    client = patient(refusing_target)

    def close() -> None:
        wait_until(lambda: len(service.requests) == 1)
        client.close()

    threading.Thread(target=close).start()
    with pytest.raises(ClientClosedError):
        finish_in_time(lambda: client.estimate(IMAGE))


def test_a_closed_channel_of_the_caller_is_a_closed_client(target: str) -> None:
    channel = grpc.insecure_channel(target)
    client = Client(channel=channel)
    assert len(client.models()) == 1
    channel.close()
    with pytest.raises(ClientClosedError, match="the channel is closed"):
        client.models()
    with pytest.raises(ClientClosedError, match="the channel is closed"):
        list(client.stream([IMAGE]))


@pytest.mark.anyio
async def test_closing_ends_an_async_stream(silent_target: str, complaints: list[Any]) -> None:
    report_to(complaints)
    client = patient_async(silent_target)
    outcomes = client.stream([IMAGE] * 3)
    assert (await anext(outcomes)).frame_id == 1
    asyncio.get_running_loop().call_later(0.1, asyncio.ensure_future, client.close())
    with pytest.raises(ClientClosedError, match="before the last outcome"):
        await asyncio.wait_for(anext(outcomes), PATIENCE_SECS)


@pytest.mark.anyio
async def test_closing_ends_an_async_stream_that_waits_to_reopen(
    service: ScriptedService, refusing_target: str, complaints: list[Any]
) -> None:
    report_to(complaints)
    client = patient_async(refusing_target)
    waiting = asyncio.ensure_future(anext(client.stream([IMAGE] * 3)))
    await asyncio.to_thread(wait_until, lambda: len(service.frames_sent) == 1)
    await client.close()
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(waiting, PATIENCE_SECS)


@pytest.mark.anyio
async def test_closing_ends_an_async_call(
    service: ScriptedService, silent_target: str, complaints: list[Any]
) -> None:
    report_to(complaints)
    client = patient_async(silent_target)
    waiting = asyncio.ensure_future(client.estimate(IMAGE))
    await asyncio.to_thread(wait_until, lambda: len(service.requests) == 1)
    await client.close()
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(waiting, PATIENCE_SECS)


@pytest.mark.anyio
async def test_closing_ends_an_async_call_that_waits_to_be_retried(
    service: ScriptedService, refusing_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff.Attempts, "delay_after", lambda *args: 1e6)
    client = patient_async(refusing_target)
    waiting = asyncio.ensure_future(client.estimate(IMAGE))
    await asyncio.to_thread(wait_until, lambda: len(service.requests) == 1)
    await client.close()
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(waiting, PATIENCE_SECS)


@pytest.mark.anyio
async def test_closing_an_async_channel_of_the_caller_is_closing_the_client(
    silent_target: str, complaints: list[Any]
) -> None:
    report_to(complaints)
    channel = grpc.aio.insecure_channel(silent_target)
    client = AsyncClient(channel=channel)
    outcomes = client.stream([IMAGE] * 3)
    await anext(outcomes)
    waiting = [
        asyncio.ensure_future(anext(outcomes)),
        asyncio.ensure_future(client.estimate(IMAGE)),
    ]
    await asyncio.sleep(0.1)
    await channel.close()
    for each in waiting:
        with pytest.raises(ClientClosedError, match="or its channel was closed"):
            await asyncio.wait_for(each, PATIENCE_SECS)
    with pytest.raises(ClientClosedError, match="the channel is closed"):
        await client.models()
    with pytest.raises(ClientClosedError, match="the channel is closed"):
        await anext(client.stream([IMAGE]))


# Cancellation


@pytest.mark.anyio
async def test_a_cancelled_source_is_an_error_after_the_outcomes(
    target: str, complaints: list[Any]
) -> None:
    async def frames() -> AsyncIterator[bytes]:
        yield IMAGE
        raise asyncio.CancelledError

    report_to(complaints)
    async with AsyncClient(target) as client:
        outcomes = client.stream(frames())
        assert (await asyncio.wait_for(anext(outcomes), PATIENCE_SECS)).frame_id == 1
        with pytest.raises(SourceCancelledError) as caught:
            await asyncio.wait_for(anext(outcomes), PATIENCE_SECS)
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["stream", "estimate"])
async def test_the_cancellation_of_the_callers_task_is_its_own(
    service: ScriptedService, silent_target: str, complaints: list[Any], method: str
) -> None:
    async def consume(client: AsyncClient) -> None:
        if method == "estimate":
            await client.estimate(IMAGE)
        async for _ in client.stream([IMAGE] * 3):
            pass

    report_to(complaints)
    async with AsyncClient(silent_target) as client:
        task = asyncio.create_task(consume(client))
        await asyncio.to_thread(
            wait_until, lambda: bool(service.requests) or service.frames_sent == [[1]]
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(task), PATIENCE_SECS)
        assert task.cancelled()
        assert len(await client.models()) == 1


def test_a_stream_may_be_finalised_in_a_thread_of_its_own() -> None:
    """As the garbage collector does, which runs in any thread."""
    finalised: list[BaseException | None] = []

    class Call:
        def __iter__(self) -> Iterator[Response]:
            yield started()
            yield result_for(next(frames))
            wait_until(lambda: taken.is_set())
            try:
                outcomes.close()
                finalised.append(None)
            except BaseException as error:  # noqa: BLE001 looked at below
                finalised.append(error)

        def cancel(self) -> None:
            pass

    def open_call(requests: Iterator[Request]) -> Call:
        nonlocal frames
        next(requests)
        frames = requests
        return Call()

    frames: Iterator[Request] = iter([])
    taken = threading.Event()
    wait = CallWait(WaitReporter("nowhere", None))
    outcomes = BlockingStream(session_of(), open_call, frame_request, wait).outcomes([IMAGE] * 2)
    next(outcomes)
    taken.set()
    wait_until(lambda: bool(finalised))
    assert finalised == [None]


def report_to(complaints: list[Any]) -> None:
    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # gRPC's poller may complain of its own about the closed loop of an earlier test.
        if "task" in context or "future" in context:
            complaints.append(context)

    asyncio.get_running_loop().set_exception_handler(report)
