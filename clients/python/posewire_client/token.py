"""Bearer tokens of calls."""

from __future__ import annotations

import re

_TOKEN = re.compile("[!-~]+")


def token_metadata(token: str, *, may_send: bool) -> tuple[tuple[str, str], ...]:
    """Return the metadata of calls with this token.

    Raises ValueError, which does not repeat the token, if it cannot be sent or must not be.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("token: got none or one with other characters, want printable ASCII")
    if not may_send:
        raise ValueError(
            "token: would be sent without encryption; set tls, or allow_token_without_tls"
        )
    return (("authorization", f"Bearer {token}"),)
