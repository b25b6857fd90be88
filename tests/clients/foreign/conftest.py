"""A server that describes itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.server import ServerOptions
from tests.reference.server_thread import serving


@pytest.fixture(scope="session")
def reflecting(demo: ServedModel) -> Iterator[str]:
    """The address of a server with reflection and the bundled model; `address` has none."""
    options = ServerOptions(address="127.0.0.1:0", reflection=True)
    with serving(demo, options=options) as server:
        yield server.address
