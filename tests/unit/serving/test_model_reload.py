from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from posewire_server.models.errors import NetworkError
from posewire_server.serving.frames.model_reload import ModelReload
from posewire_server.serving.frames.served_model import ServedModel
from tests.reference.painting_runner import PaintingRunner, painted_model

NOBODY = np.zeros((0, 17, 2))


class Server:
    """Stands for the server: what `read` returns next, and what has taken over."""

    def __init__(self) -> None:
        self.models: list[Sequence[ServedModel]] = []
        self.requests = 0
        self.next: Sequence[ServedModel] | Exception = ()
        self.reload = ModelReload(self._read, take_over=self.models.append, request=self._request)

    async def reload_in_thread(self) -> None:
        await asyncio.to_thread(self.reload.reload)
        await asyncio.sleep(0)

    def _request(self) -> None:
        self.requests += 1

    def _read(self, _: Sequence[ServedModel]) -> Sequence[ServedModel]:
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


def test_new_models_are_warm_when_they_take_over() -> None:
    async def test() -> None:
        server, runners = Server(), (PaintingRunner(NOBODY), PaintingRunner(NOBODY))
        stays, comes = (painted_model(each, name=str(i)) for i, each in enumerate(runners))
        server.reload.open([stays])
        server.next = [comes, stays]
        await server.reload_in_thread()
        assert server.models == [(comes, stays)]
        assert not runners[0].images
        assert runners[1].images
        await server.reload_in_thread()
        assert len(server.models) == 1

    asyncio.run(test())


def test_a_broken_model_changes_nothing() -> None:
    def fail() -> float:
        raise RuntimeError("a network that cannot run")

    async def test() -> None:
        server = Server()
        old, new = painted_model(PaintingRunner(NOBODY)), painted_model(PaintingRunner(NOBODY))
        server.reload.open([old])
        server.next = NetworkError("x.xml: got noise, want a network")
        with pytest.raises(NetworkError):
            await server.reload_in_thread()
        server.next = [painted_model(PaintingRunner(NOBODY, delay=fail))]
        with pytest.raises(RuntimeError):
            await server.reload_in_thread()
        server.next = [old]
        await server.reload_in_thread()
        assert server.models == []
        server.next = [new]
        await server.reload_in_thread()
        assert server.models == [(new,)]

    asyncio.run(test())


def test_a_reload_that_comes_too_early_is_made_up_for() -> None:
    async def test() -> None:
        server, model = Server(), painted_model(PaintingRunner(NOBODY))
        server.next = ValueError("not to be read")
        await server.reload_in_thread()
        assert server.requests == 0
        server.reload.open([model])
        assert server.requests == 1

    asyncio.run(test())
