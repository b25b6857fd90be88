"""The health of all processes, as each of them reports it."""

from __future__ import annotations

from collections.abc import Callable

from posewire_server.serving.health import HealthService


class JointHealth(HealthService):
    """Reports what `show` was called with last; its own state goes to `on_change`.

    While it drains it reports NOT_SERVING.
    """

    def __init__(self, *services: str, on_change: Callable[[], object]) -> None:
        super().__init__(*services)
        self._on_change = on_change
        self._is_draining = False
        self.is_own_serving = False

    def set_serving(self, is_serving: bool) -> None:
        """Change the state of this process alone."""
        self.is_own_serving = is_serving and not self._is_draining
        self._on_change()

    def show(self, is_serving: bool) -> None:
        """Report this from now on."""
        super().set_serving(is_serving and not self._is_draining)

    def drain(self) -> None:
        self._is_draining = True
        self.set_serving(False)
        self.show(False)

    def close(self) -> None:
        super().close()
        self.drain()
