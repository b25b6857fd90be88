"""Resume tokens: the state of a stream's tracks, authenticated, so that any server can go on.

A token is a version, a MAC and the state. The MAC also covers the model's name: another model's
poses do not fit the tracks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from posewire_server.serving.errors import ResumeKeyError

_VERSION = b"\1"
_MAC_BYTES = hashlib.sha256().digest_size
_LEAST_BYTES, _MOST_BYTES = 32, 4096
MAX_TOKEN_BYTES = 1 << 16


class ResumeKey:
    """Seals and opens resume tokens; servers with the same key open each other's."""

    def __init__(self, secret: bytes | None = None) -> None:
        """Without a secret, use a random one: only this process opens its tokens."""
        self._secret = secret or secrets.token_bytes(_LEAST_BYTES)

    @classmethod
    def read(cls, path: Path) -> ResumeKey:
        """Read a key file. Raises `ResumeKeyError`."""
        try:
            with path.open("rb") as file:
                secret = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise ResumeKeyError(f"{path}: {error.strerror}; want a file of bytes") from error
        if not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
            got = f"more than {_MOST_BYTES}" if len(secret) > _MOST_BYTES else str(len(secret))
            raise ResumeKeyError(
                f"{path}: got {got} bytes, want {_LEAST_BYTES} to {_MOST_BYTES} random bytes, such "
                f"as from: openssl rand -out {path} 32"
            )
        return cls(secret)

    def seal(self, model: str, state: bytes) -> bytes:
        """Return the token of a state."""
        return _VERSION + self._mac(model, state) + state

    def open(self, model: str, token: bytes) -> bytes | None:
        """Return the state of a token; None if no server with this key made it for this model."""
        if len(token) > MAX_TOKEN_BYTES or not token.startswith(_VERSION):
            return None
        mac, state = token[1 : 1 + _MAC_BYTES], token[1 + _MAC_BYTES :]
        return state if hmac.compare_digest(mac, self._mac(model, state)) else None

    def _mac(self, model: str, state: bytes) -> bytes:
        name = model.encode()
        message = _VERSION + len(name).to_bytes(4, "big") + name + state
        return hmac.digest(self._secret, message, "sha256")
