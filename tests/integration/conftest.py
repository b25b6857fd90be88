"""Both clients, and a scripted server for them to call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.scripted_service import ScriptedService, running


@pytest.fixture(params=[Blocking(), Awaiting()], ids=["Client", "AsyncClient"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each of the two clients in turn."""
    return request.param


@pytest.fixture
def service() -> ScriptedService:
    """A service that processes everything, unless the test gives it other scripts."""
    return ScriptedService()


@pytest.fixture
def target(service: ScriptedService) -> Iterator[str]:
    """The address where `service` runs."""
    with running(service) as server:
        yield server.target
