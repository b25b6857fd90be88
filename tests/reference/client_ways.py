"""The two clients behind one face, so that each test asks both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Any, Protocol, TypeVar

from posewire_client import AsyncClient, Client, Outcome

Answer = TypeVar("Answer")


class Way(Protocol):
    """One way of waiting."""

    def call(self, target: str, method: str, *args: Any, client: Any = ..., **kwargs: Any) -> Any:
        """What one call answers; `client` holds arguments of the client."""
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
        """The outcomes, up to the first for which `each` is false; then the stream is closed."""
        ...


def go_on(outcome: Outcome) -> bool:
    """Take all outcomes."""
    return True


class Blocking:
    """Through Client."""

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
    """Through AsyncClient; frames come from an asynchronous iterator."""

    def call(self, target: str, method: str, *args: Any, client: Any = None, **kwargs: Any) -> Any:
        async def main() -> Any:
            async with AsyncClient(target, **(client or {})) as made:
                return await getattr(made, method)(*args, **kwargs)

        return asyncio.run(main())

    def stream(
        self,
        target: str,
        frames: Iterable[Any],
        *,
        client: Any = None,
        each: Callable[[Outcome], bool] = go_on,
        **kwargs: Any,
    ) -> list[Outcome]:
        async def main() -> list[Outcome]:
            taken = []
            async with (
                AsyncClient(target, **(client or {})) as made,
                aclosing(made.stream(_off_the_loop(iter(frames)), **kwargs)) as outcomes,
            ):
                async for outcome in outcomes:
                    taken.append(outcome)
                    if not await asyncio.to_thread(each, outcome):
                        break
            return taken

        return asyncio.run(main())


async def _off_the_loop(frames: Iterator[Any]) -> AsyncIterator[Any]:
    """Frames that may block their thread."""
    end = object()
    while (frame := await asyncio.to_thread(next, frames, end)) is not end:
        yield frame
