"""Packages that only some methods need."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from posewire_client.errors import MissingPackageError


@contextmanager
def needed_by(user: str, *, package: str, install: str) -> Generator[None, None, None]:
    """Raise MissingPackageError, with the command that helps, if an import in the block fails."""
    try:
        yield
    except ImportError as error:
        raise MissingPackageError(
            f"{user} needs {package}, which cannot be imported; run: pip install '{install}'"
        ) from error
