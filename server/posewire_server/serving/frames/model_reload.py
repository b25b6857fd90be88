"""Models that are read again while others serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TypeAlias

from posewire_server.errors import InputError
from posewire_server.serving.frames.served_model import ServedModel

_LOG = logging.getLogger(__name__)

# From the models that serve to those that should, in which models that have not changed stay.
ReadModels: TypeAlias = Callable[[Sequence[ServedModel]], Sequence[ServedModel]]
# Whether models that are loaded, or could not be (None), may take over.
ConfirmModels: TypeAlias = Callable[[Sequence[ServedModel] | None], bool]


class ModelReload:
    """Loads and warms up models beside those that serve, and lets them take over.

    `read` and `confirm` are called in the thread of `reload`, `take_over` in the event loop that
    makes this.
    """

    def __init__(
        self,
        read: ReadModels,
        *,
        take_over: Callable[[Sequence[ServedModel]], object],
        request: Callable[[], object],
        confirm: ConfirmModels = lambda _: True,
    ) -> None:
        self._read = read
        self._confirm = confirm
        self._take_over = take_over
        self._request = request
        self._loop = asyncio.get_running_loop()
        # None until models serve. A reload that comes before waits until then.
        self._serving: Sequence[ServedModel] | None = None
        self._is_owed = False

    def open(self, models: Sequence[ServedModel]) -> None:
        """Begin with these models, which serve now."""
        self._serving = tuple(models)
        if self._is_owed:
            self._request()

    def reload(self) -> None:
        """Read the models again; those that have not changed stay.

        Raises the errors of `read` and of a warm-up, and then changes nothing.
        """
        # Set first: `open` may run at the same time.
        self._is_owed = True
        if self._serving is None:
            return
        self._is_owed = False
        serving, began = self._serving, monotonic()
        try:
            models = tuple(self._read(serving))
            loaded = [model for model in models if model not in serving]
            for model in loaded:
                model.warm_up()
        except BaseException:
            self._confirm(None)
            raise
        if not self._confirm(models):
            raise InputError("not all processes could load the same models")
        if models == serving:
            return
        self._serving = models
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._take_over, models)
        _LOG.info(
            "serving %s; loaded and warmed up %s in %.1f s",
            ", ".join(model.name for model in models),
            ", ".join(model.name for model in loaded) or "none",
            monotonic() - began,
        )
