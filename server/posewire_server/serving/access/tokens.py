"""The tokens file: the callers of a server, their tokens and quotas."""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from posewire_server.serving.access.quotas import Quota
from posewire_server.serving.errors import TokensError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Each call is compared with all of them, in about 0.2 µs each.
_MAX_TOKENS = 1024
_MAX_FILE_BYTES = 1 << 20
# Weights are relative, and each turn of a caller waits for those of the others.
_MIN_WEIGHT, _MAX_WEIGHT = 0.01, 100.0
_MAX_STREAMS = 1 << 20
_MAX_RATE = 1e6

# Names appear in logs and in error messages.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_EMPTY_TOKEN = hashlib.sha256(b"").digest()
_KEYS = ("name", "sha256", "weight", "max_streams", "max_rate")


@dataclass(frozen=True, slots=True)
class Token:
    """A caller with the SHA-256 digests of its tokens: two while it changes to a new one."""

    name: str
    digests: tuple[bytes, ...]
    quota: Quota


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read a tokens file. Raises `TokensError` that names what is wrong in it."""
    tables = _tables(path)
    tokens: list[Token] = []
    names: set[str] = set()
    digests: set[bytes] = set()
    for number, table in enumerate(tables, 1):
        token = _Table(path, number, table).read()
        if token.name in names:
            _refuse(f"{path}: name: got {token.name!r} twice, want different names")
        if digests.intersection(token.digests):
            _refuse(f"{path}: sha256 of {token.name}: got one of another token as well")
        names.add(token.name)
        digests.update(token.digests)
        tokens.append(token)
    if len(digests) > _MAX_TOKENS:
        _refuse(f"{path}: got {len(digests)} tokens, want at most {_MAX_TOKENS}")
    return tuple(tokens)


def _tables(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TokensError(f"tokens {path}: cannot be read ({error.strerror})") from error
    if len(data) > _MAX_FILE_BYTES:
        _refuse(f"{path}: got more than {_MAX_FILE_BYTES} bytes")
    try:
        content = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TokensError(f"tokens {path}: not TOML: {error}") from error
    tables = content.pop("tokens", None)
    if content:
        _refuse(f"{path}: unknown key {min(content)!r}, want tables [[tokens]] only")
    if not isinstance(tables, list) or not tables:
        _refuse(f"{path}: no tokens, want a table [[tokens]] for each caller")
    return tables


@dataclass(frozen=True, slots=True)
class _Table:
    path: Path
    number: int
    table: Mapping[str, Any]

    def read(self) -> Token:
        if not isinstance(self.table, dict):
            self._refuse("", self.table, "a table [[tokens]]")
        for key in self.table:
            if key not in _KEYS:
                self._refuse("key", key, f"one of {', '.join(_KEYS)}")
        name = self.table.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._refuse("name", name, "1 to 64 letters, digits, '.', '_' or '-'")
        return Token(name, self._digests(), self._quota(name))

    def _digests(self) -> tuple[bytes, ...]:
        value = self.table.get("sha256")
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            # Not repeated in the message: somebody may have written the token itself.
            if not isinstance(text, str) or not _SHA256.fullmatch(text):
                self._refuse("sha256", None, "64 hexadecimal digits, or a list of such", hide=True)
        digests = tuple(map(bytes.fromhex, texts))
        if not digests or _EMPTY_TOKEN in digests:
            self._refuse("sha256", value, "that of a token; this one is of nothing")
        return digests

    def _quota(self, name: str) -> Quota:
        streams = self.table.get("max_streams")
        if streams is not None and not (_is_whole(streams) and 0 <= streams <= _MAX_STREAMS):
            self._refuse("max_streams", streams, f"a whole number from 0 to {_MAX_STREAMS}")
        return Quota(
            weight=self._number("weight", _MIN_WEIGHT, _MAX_WEIGHT) or 1.0,
            max_streams=streams,
            max_rate=self._number("max_rate", 1.0 / 3600, _MAX_RATE),
            source=f"tokens file, {name}",
        )

    def _number(self, key: str, least: float, most: float) -> float | None:
        value = self.table.get(key)
        if value is None:
            return None
        is_number = isinstance(value, float) or _is_whole(value)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            self._refuse(key, value, f"a number from {least:g} to {most:g}")
        return float(value)

    def _refuse(self, key: str, got: object, want: str, *, hide: bool = False) -> NoReturn:
        name = self.table.get("name") if isinstance(self.table, dict) else None
        subject = f"token {self.number}" + (f" ({name!r})" if isinstance(name, str) else "")
        got_text = "something else" if hide else f"{got!r}"[:80]
        _refuse(f"{self.path}: {subject}: {key}: got {got_text}, want {want}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(fault: str) -> NoReturn:
    raise TokensError(f"tokens {fault}")
