"""Checks files against the catalog."""

from __future__ import annotations

import hashlib
from pathlib import Path

from posewire_server.models.catalog_entry import RemoteFile

_BLOCK_BYTES = 1 << 20


def find_fault(path: Path, file: RemoteFile) -> str | None:
    """Compare the content of `path` with `file`; None if it is the same."""
    size = path.stat().st_size
    if size != file.size:
        return f"got {size} bytes, want {file.size}"
    found = sha384_of(path)
    if found != file.sha384:
        return f"got SHA-384 {found[:16]}…, want {file.sha384[:16]}…"
    return None


def is_intact(path: Path, file: RemoteFile) -> bool:
    return path.is_file() and find_fault(path, file) is None


def sha384_of(path: Path) -> str:
    """Return the digest in hex."""
    digest = hashlib.sha384()
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
