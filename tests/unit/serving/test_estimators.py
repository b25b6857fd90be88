from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from posewire_server.image.limits import ImageLimits
from posewire_server.serving.access.quotas import Account
from posewire_server.serving.errors import ModelNotFoundError
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.frames.estimators import Estimators
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.scheduling.byte_budget import ByteBudget
from tests.reference.numbered_frames import SIDE, numbered_image, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner, painted_model


class Closing(Estimator):
    """Remembers that it was closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True
        super().close()


def model(name: str, runner: PaintingRunner | None = None) -> ServedModel:
    return painted_model(runner or PaintingRunner(person_of), name=name, size=SIDE)


def new_estimator(model: ServedModel) -> Closing:
    return Closing(model, limits=ImageLimits(), waiting=8, budget=ByteBudget(1 << 30))


def run(test: Callable[[Estimators], Coroutine[Any, Any, None]]) -> None:
    async def in_loop() -> None:
        await test(Estimators(new_estimator))

    asyncio.run(in_loop())


def test_a_replaced_model_is_closed_when_its_last_user_ends() -> None:
    async def test(estimators: Estimators) -> None:
        estimators.replace([model("a")])
        with estimators.use("a") as old:
            with estimators.use("") as same:
                assert same is old
            estimators.replace([model("a")])
            with estimators.use("a") as new:
                assert new is not old
            assert (is_closed(old), is_closed(new)) == (False, False)
        assert (is_closed(old), is_closed(new)) == (True, False)

    run(test)


def test_a_model_without_users_is_closed_at_once_and_its_memory_is_free() -> None:
    async def test(estimators: Estimators) -> None:
        estimators.replace([model("a")])
        old = weakref.ref(estimators.find("a"))
        estimators.replace([model("a")])
        gc.collect()
        assert old() is None

    run(test)


def test_a_model_that_stays_is_not_replaced() -> None:
    async def test(estimators: Estimators) -> None:
        first, second = model("first"), model("second")
        estimators.replace([first, second])
        before = estimators.find("second")
        estimators.replace([second, model("third")])
        assert estimators.default == "second"
        assert estimators.find("") is before
        assert not is_closed(before)
        assert [each.model.name for each in estimators.serving] == ["second", "third"]
        with pytest.raises(ModelNotFoundError):
            estimators.find("first")

    run(test)


def test_an_image_of_a_replaced_model_ends_there() -> None:
    async def test(estimators: Estimators) -> None:
        runner = HeldRunner(person_of)
        estimators.replace([model("a", runner)])
        with estimators.use("a") as old:
            options = old.model.options
            call = asyncio.create_task(
                old.estimate(numbered_image(1), options, account=Account("peer"), size=1)
            )
            assert await asyncio.to_thread(runner.has_begun)
            estimators.replace([model("a")])
            assert estimators.is_busy
            runner.release()
            assert len((await call).estimate.poses) == 1
        assert is_closed(old)
        assert not estimators.is_busy

    run(test)


def test_an_image_that_was_cancelled_in_a_replaced_model_is_still_in_progress() -> None:
    async def test(estimators: Estimators) -> None:
        runner = HeldRunner(person_of)
        estimators.replace([model("a", runner)])
        with estimators.use("a") as old:
            options = old.model.options
            call = asyncio.create_task(
                old.estimate(numbered_image(1), options, account=Account("peer"), size=1)
            )
            assert await asyncio.to_thread(runner.has_begun)
            estimators.replace([model("a")])
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert is_closed(old)
        assert estimators.is_busy
        runner.release()
        while estimators.is_busy:
            await asyncio.sleep(0.001)

    run(test)


def is_closed(estimator: Estimator) -> bool:
    assert isinstance(estimator, Closing)
    return estimator.is_closed
