"""What the restricted unpickler makes of a pickle: inert values."""

from __future__ import annotations

from collections.abc import Callable

from posewire_server.models.errors import DamagedCheckpointError, NoStateDictError

_SHOWN_CHARACTERS = 80


class PickledDict:
    """A dict's items as they came.

    Nothing is hashed or compared: a file could choose keys that take forever (nested tuples that
    share their parts, numbers of equal hash) or exhaust the stack.
    """

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[tuple[object, object]] = []

    def by_name(self) -> dict[str, object]:
        """The items as a dict of strings; raises `CheckpointError` if they are none."""
        values: dict[str, object] = {}
        for key, value in self.items:
            if not isinstance(key, str) or not key.isprintable():
                raise NoStateDictError(f"has {described(key)} for a key, want printable strings")
            if key in values:
                raise DamagedCheckpointError(f"has the key {described(key)} twice")
            values[key] = value
        return values


class Reducer:
    """A name that a pickle may call; `build` is ours and checks what it is called with."""

    __slots__ = ("build", "name")

    def __init__(self, name: str, build: Callable[[tuple[object, ...]], object]) -> None:
        self.name = name
        self.build = build


def described(value: object) -> str:
    """A few words on a value, however large, deep or endless it is."""
    if isinstance(value, str):
        return ascii(value[:_SHOWN_CHARACTERS]) + ("..." if len(value) > _SHOWN_CHARACTERS else "")
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, PickledDict):
        return f"a dict of {len(value.items)}"
    if isinstance(value, (bool, int, float)) or value is None:
        return repr(value)
    return str(getattr(value, "name", f"a {type(value).__name__.lower()}"))
