"""Fixtures of all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# A busy machine takes long for an example without anything being wrong.
settings.register_profile("posewire", parent=settings(), deadline=None)
settings.load_profile("posewire")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs the tests that are marked `anyio`: coroutine functions."""
    return "asyncio"
