from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import stub_server

SERVICE_SECS = 0.02


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    """A process with the default limits and a network that takes 20 ms for an image."""
    with stub_server(secs=SERVICE_SECS) as process:
        yield process


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print the figure that a test bounds, whether output is captured or not."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(figure: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {request.node.name}: {figure}")

    return write
