from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from posewire_server.serving.errors import BusyError, DeadlineMissedError, UnavailableError
from posewire_server.serving.messages.reception import Reception

pytestmark = pytest.mark.anyio

PATIENCE = 0.05
SOON = 20.0
CALLS_PER_HOST = 20
GREEDY, POLITE = "ipv4:192.0.2.1:5000", "ipv4:192.0.2.2:5000"


class Requests:
    """The requests of a call whose client sends `message` after `sends`, or never."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message
        self.sends = asyncio.Event()
        self.is_received_from = False
        if message is not None:
            self.sends.set()

    def __aiter__(self) -> Requests:
        return self

    async def __anext__(self) -> str:
        self.is_received_from = True
        await self.sends.wait()
        if self.message is None:
            raise StopAsyncIteration
        return self.message


def receive(
    reception: Reception, requests: Any, peer: str = GREEDY, within_secs: float = SOON
) -> asyncio.Task[Any]:
    return asyncio.create_task(reception.receive(requests, peer, within_secs=within_secs))


async def ended(call: Awaitable[Any]) -> str:
    """Return the message of the error with which a call ends."""
    with pytest.raises(DeadlineMissedError) as caught:
        await call
    return str(caught.value)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_message_or_its_absence_is_returned() -> None:
    reception = Reception(1, calls_per_host=CALLS_PER_HOST, patience_secs=PATIENCE)
    assert await receive(reception, Requests("image")) == "image"
    silent = Requests()
    silent.sends.set()
    assert await receive(reception, silent) is None


async def test_a_slow_message_has_its_time_while_nobody_waits() -> None:
    reception = Reception(2, calls_per_host=CALLS_PER_HOST, patience_secs=PATIENCE)
    slow, never = Requests(), Requests()
    slow.message = "image"
    receiving = receive(reception, slow)
    assert "within 0.2 s" in await ended(receive(reception, never, within_secs=0.2))
    slow.sends.set()
    assert await receiving == "image"


async def test_calls_beyond_the_slots_are_not_received_from() -> None:
    reception = Reception(2, calls_per_host=CALLS_PER_HOST, patience_secs=SOON)
    requests = [Requests() for _ in range(3)]
    calls = [receive(reception, each) for each in requests]
    await settle()
    assert [each.is_received_from for each in requests] == [True, True, False]
    calls[0].cancel()
    await settle()
    assert requests[2].is_received_from
    for call in calls:
        call.cancel()


async def test_silent_calls_lose_their_slots_to_those_that_wait() -> None:
    reception = Reception(2, calls_per_host=CALLS_PER_HOST, patience_secs=PATIENCE)
    silent = [receive(reception, Requests()) for _ in range(2)]
    assert await receive(reception, Requests("image"), POLITE) == "image"
    assert "while other calls wait" in await ended(silent[0])
    assert not silent[1].done()
    silent[1].cancel()


async def test_the_host_and_the_connection_with_the_fewest_slots_are_next() -> None:
    reception = Reception(3, calls_per_host=CALLS_PER_HOST, patience_secs=SOON)
    silent = [receive(reception, Requests()) for _ in range(3)]
    same_connection, same_host, other_host = [Requests() for _ in range(3)]
    waiting = [
        receive(reception, same_connection, GREEDY),
        receive(reception, same_host, "ipv4:192.0.2.1:5001"),
        receive(reception, other_host, POLITE),
    ]
    for next_ in [other_host, same_host, same_connection]:
        await settle()
        assert not next_.is_received_from
        silent.pop().cancel()
        await settle()
        assert next_.is_received_from
    for call in waiting:
        call.cancel()


async def test_the_host_with_the_most_slots_loses_one_first() -> None:
    reception = Reception(3, calls_per_host=CALLS_PER_HOST, patience_secs=PATIENCE)
    slow = Requests()
    slow.message = "image"
    oldest = receive(reception, slow, POLITE)
    silent = [receive(reception, Requests(), GREEDY) for _ in range(2)]
    await settle()
    assert await receive(reception, Requests("other"), "ipv4:192.0.2.3:1") == "other"
    await ended(silent[0])
    slow.sends.set()
    assert await oldest == "image"
    silent[1].cancel()


async def test_waiting_for_a_slot_counts_as_time_of_the_call() -> None:
    reception = Reception(1, calls_per_host=CALLS_PER_HOST, patience_secs=SOON)
    silent = receive(reception, Requests())
    assert "within 0.1 s" in await ended(receive(reception, Requests("image"), within_secs=0.1))
    silent.cancel()


async def test_end_ends_those_that_receive_and_those_that_wait() -> None:
    reception = Reception(1, calls_per_host=CALLS_PER_HOST, patience_secs=SOON)
    calls = [receive(reception, Requests()) for _ in range(3)]
    await settle()
    reception.end(UnavailableError("the server is shutting down", reason="DRAINING"))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in outcomes] == [UnavailableError] * 3


async def test_a_host_with_too_many_calls_gets_no_more_and_others_do() -> None:
    reception = Reception(2, calls_per_host=3, patience_secs=SOON)
    calls = [receive(reception, Requests(), f"ipv4:192.0.2.1:{port}") for port in range(3)]
    await settle()
    with pytest.raises(BusyError, match="3 calls of this host have not sent") as caught:
        await receive(reception, Requests("image"), "ipv4:192.0.2.1:9")
    assert caught.value.reason == "CALL_LIMIT_REACHED"
    other = receive(reception, Requests("image"), POLITE)
    calls[0].cancel()
    assert await other == "image"
    calls.append(receive(reception, Requests()))
    await settle()
    assert not calls[-1].done()
    for call in calls:
        call.cancel()


async def test_cancelled_calls_leave_nothing_behind() -> None:
    reception = Reception(1, calls_per_host=CALLS_PER_HOST, patience_secs=SOON)
    calls = [receive(reception, Requests()) for _ in range(4)]
    await settle()
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await receive(reception, Requests("image")) == "image"
