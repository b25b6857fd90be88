"""What has come of a file so far."""

from __future__ import annotations

import json
from io import BufferedWriter
from pathlib import Path

from posewire_server.models.catalog_entry import RemoteFile
from posewire_server.models.digest import fault_of


class PartialFile:
    """The first bytes of a file, kept until the rest has come.

    Beside them lies the version of the file that the server named: two pieces belong together only
    if they are of one version, and the server is told which one it shall go on with.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._version_path = target.with_name(f"{target.name}.part.version")
        self._joined = self.size > 0

    @property
    def joined(self) -> bool:
        """Whether the bytes came in several answers, which may not belong together."""
        return self._joined

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def begin(self, *, address: str, version: str | None) -> None:
        """Starts anew, with no bytes. The version is written before any byte of it is."""
        self.discard()
        if version is not None:
            self._version_path.write_text(json.dumps([address, version]))

    def version_at(self, address: str) -> str | None:
        """What `address` called the version these bytes are of, if it did."""
        try:
            known, version = json.loads(self._version_path.read_text())
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return version if known == address and isinstance(version, str) else None

    def opened(self) -> BufferedWriter:
        self._joined = self.size > 0
        return self.path.open("ab")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._version_path.unlink(missing_ok=True)
        self._joined = False

    def fault(self, file: RemoteFile) -> str | None:
        return fault_of(self.path, file)

    def finish(self) -> None:
        """Gives the file its name, which from then on means that it is whole."""
        self.path.replace(self.target)
        self._version_path.unlink(missing_ok=True)
