"""Runs the call table through AsyncClient.

python -m tests.clients.calls.async_driver TABLE FOLDER SERVERS
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import yaml

from posewire_client import AsyncClient, ImageInput, Outcome
from tests.clients.calls.outcomes import (
    CLOSED,
    ask,
    client_options,
    error_document,
    image_input,
    image_options,
    model_document,
    outcome_document,
    print_line,
    result_document,
    stream_options,
    token_credentials,
)
from tests.clients.calls.table import Call, read_calls

NAME = "python_async"


class Frames:
    """The source of a stream's frames; `go_on` allows a paced one the next frame."""

    def __init__(self, call: Call, folder: Path) -> None:
        self._call = call
        self._folder = folder
        self._allowed = asyncio.Semaphore(0)

    async def __aiter__(self) -> AsyncIterator[ImageInput]:
        for number, spec in enumerate(self._call.frames):
            if self._call.paced and number > 0:
                await self._allowed.acquire()
            yield image_input(spec, self._folder)
        if self._call.ask is not None and self._call.ask.after_frames:
            await asyncio.to_thread(ask, self._call.ask.what)

    def go_on(self) -> None:
        self._allowed.release()


@asynccontextmanager
async def connected(call: Call, folder: Path, target: str) -> AsyncIterator[AsyncClient]:
    """Yield a client; only a channel of the caller's own sends a token."""
    options = client_options(call, folder)
    if not call.token:
        async with AsyncClient(target, **options) as client:
            yield client
        return
    credentials = token_credentials(call, folder)
    async with (
        grpc.aio.secure_channel(target, credentials) as channel,
        AsyncClient(channel=channel, **options) as client,
    ):
        yield client


async def run(call: Call, folder: Path, target: str) -> dict[str, Any]:
    """Make one call and return its outcome."""
    async with connected(call, folder, target) as client:
        try:
            if call.call == "models":
                return {"models": [model_document(each) for each in await client.models()]}
            if call.call == "model":
                return {"models": [model_document(await client.model(call.model))]}
            if call.call == "stream":
                return await run_stream(call, folder, client)
            return await estimate(call, folder, client)
        except Exception as error:  # noqa: BLE001 - raised again if it is none of the client's
            return {"error": error_document(error)}


async def estimate(call: Call, folder: Path, client: AsyncClient) -> dict[str, Any]:
    if call.ask is not None:
        await asyncio.to_thread(ask, call.ask.what)
    image = image_input(call.image, folder)
    result = client.estimate(image, **image_options(call, call.image))
    if not call.close_when_called:
        return result_document(await result)
    in_progress = asyncio.create_task(result)
    await asyncio.to_thread(ask, "wait until called")
    await client.close()
    return result_document(await in_progress)


async def run_stream(call: Call, folder: Path, client: AsyncClient) -> dict[str, Any]:
    frames = Frames(call, folder)
    documents: list[dict[str, Any]] = []
    async with aclosing(client.stream(frames, **stream_options(call))) as outcomes:
        try:
            end = await take_all(call, client, frames, outcomes, documents)
        except Exception as error:  # noqa: BLE001 - raised again if it is none of the client's
            end = error_document(error)
    return {"outcomes": documents, "end": end}


async def take_all(
    call: Call,
    client: AsyncClient,
    frames: Frames,
    outcomes: AsyncGenerator[Outcome, None],
    documents: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """Take the outcomes; return how the stream ended if the caller ended it."""
    async for outcome in outcomes:
        documents.append(outcome_document(outcome))
        count = len(documents)
        if call.ask is not None and call.ask.after_outcomes == count:
            await asyncio.to_thread(ask, call.ask.what)
        if call.cancel_after_outcomes == count:
            await outcomes.aclose()
            return CLOSED
        if call.close_after_outcomes == count:
            await client.close()
        frames.go_on()
    return None


async def main(table: str, folder: str, servers: str) -> None:
    targets = yaml.safe_load(Path(servers).read_text())
    for call in read_calls(Path(table)):
        if NAME not in call.without:
            outcome = await run(call, Path(folder), targets[call.server])
            print_line({"call": call.name, "outcome": outcome})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
