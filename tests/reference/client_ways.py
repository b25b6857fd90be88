"""One interface to both clients, so that a test can run through each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Any, Protocol

from posewire_client import AsyncClient, Client, Outcome


class Way(Protocol):
    """Makes calls with one of the clients. `client` holds arguments of its constructor."""

    def call(self, target: str, method: str, *args: Any, client: Any = ..., **kwargs: Any) -> Any:
        """Call one method and return its result."""
        ...

    def stream(
        self,
        target: str,
        frames: Iterable[Any],
        *,
        client: Any = ...,
        each: Callable[[Outcome], bool] = ...,
        **kwargs: Any,
    ) -> list[Outcome]:
        """Return the outcomes up to the first for which `each` is false, then close the stream."""
        ...


def go_on(outcome: Outcome) -> bool:
    """Take all outcomes."""
    return True


class Blocking:
    """Calls Client."""

    def call(self, target: str, method: str, *args: Any, client: Any = None, **kwargs: Any) -> Any:
        with Client(target, **(client or {})) as made:
            return getattr(made, method)(*args, **kwargs)

    def stream(
        self,
        target: str,
        frames: Iterable[Any],
        *,
        client: Any = None,
        each: Callable[[Outcome], bool] = go_on,
        **kwargs: Any,
    ) -> list[Outcome]:
        taken = []
        with (
            Client(target, **(client or {})) as made,
            closing(made.stream(frames, **kwargs)) as outcomes,
        ):
            for outcome in outcomes:
                taken.append(outcome)
                if not each(outcome):
                    break
        return taken


class Awaiting:
    """Calls AsyncClient. Frames come from an asynchronous iterator."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return asyncio.run(self._call(*args, **kwargs))

    def stream(self, *args: Any, **kwargs: Any) -> list[Outcome]:
        return asyncio.run(self._stream(*args, **kwargs))

    async def _call(
        self, target: str, method: str, *args: Any, client: Any = None, **kwargs: Any
    ) -> Any:
        async with AsyncClient(target, **(client or {})) as made:
            return await getattr(made, method)(*args, **kwargs)

    async def _stream(
        self,
        target: str,
        frames: Iterable[Any],
        *,
        client: Any = None,
        each: Callable[[Outcome], bool] = go_on,
        **kwargs: Any,
    ) -> list[Outcome]:
        taken = []
        async with (
            AsyncClient(target, **(client or {})) as made,
            aclosing(made.stream(_read_in_threads(iter(frames)), **kwargs)) as outcomes,
        ):
            async for outcome in outcomes:
                taken.append(outcome)
                if not await asyncio.to_thread(each, outcome):
                    break
        return taken


async def _read_in_threads(frames: Iterator[Any]) -> AsyncIterator[Any]:
    """Read frames that may block."""
    end = object()
    while (frame := await asyncio.to_thread(next, frames, end)) is not end:
        yield frame
