"""The mirror to download models from."""

from __future__ import annotations

from posewire_server.models.errors import FetchError

MIRROR_VARIABLE = "POSEWIRE_MIRROR"


def checked_mirror(given: str | None) -> str | None:
    """Return the mirror, None for none or an empty one. Raises `FetchError` for no address."""
    if given and not given.startswith(("http://", "https://")):
        raise FetchError(f"mirror: got {given!r}, want an address, http:// or https://")
    return given or None
