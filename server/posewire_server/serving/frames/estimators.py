"""The estimators of a service: those that serve, and replaced ones that are still in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakSet

from posewire_server.serving.errors import ModelNotFoundError
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.frames.served_model import ServedModel


class Estimators:
    """The estimators of the served models by name; belongs to one event loop.

    `create` makes the estimator of a model. A replaced one goes on for the calls and streams that
    use it, and is closed when the last of them ends.
    """

    def __init__(self, create: Callable[[ServedModel], Estimator]) -> None:
        self._create = create
        self._serving: dict[str, Estimator] = {}
        self.default = ""
        # How many calls and streams use each.
        self._users: Counter[Estimator] = Counter()
        # Weak, so that a model's memory is free once no call and no thread needs it.
        self._replaced: WeakSet[Estimator] = WeakSet()

    def replace(self, models: Sequence[ServedModel]) -> None:
        """Serve these models, the first by default; one that was served before goes on as it is."""
        before = self._serving
        kept = {each.model: each for each in before.values()}
        self._serving = {
            model.name: kept.pop(model) if model in kept else self._create(model)
            for model in models
        }
        self.default = models[0].name
        for estimator in kept.values():
            self._replaced.add(estimator)
            self._close_if_unused(estimator)

    @contextmanager
    def use(self, name: str) -> Iterator[Estimator]:
        """Use the estimator of that model, "" for the default, during the block.

        Raises `ModelNotFoundError`.
        """
        estimator = self.find(name)
        self._users[estimator] += 1
        try:
            yield estimator
        finally:
            self._users[estimator] -= 1
            if not self._users[estimator]:
                del self._users[estimator]
                self._close_if_unused(estimator)

    def find(self, name: str) -> Estimator:
        """Return the estimator of that model. Raises `ModelNotFoundError`."""
        estimator = self._serving.get(name or self.default)
        if estimator is None:
            raise ModelNotFoundError(name, served=tuple(sorted(self._serving)))
        return estimator

    @property
    def serving(self) -> list[Estimator]:
        """Those of the served models, by name."""
        return [each for _, each in sorted(self._serving.items())]

    @property
    def is_busy(self) -> bool:
        """Whether images are in progress, also in replaced models."""
        return any(each.is_busy for each in (*self._serving.values(), *self._replaced))

    def close(self) -> None:
        """Start no more images."""
        for each in (*self._serving.values(), *self._replaced):
            each.close()

    def _close_if_unused(self, estimator: Estimator) -> None:
        if estimator in self._replaced and not self._users[estimator]:
            estimator.close()
