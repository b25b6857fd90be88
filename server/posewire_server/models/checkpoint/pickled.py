"""What the restricted unpickler makes in place of dicts, and how values are shown in errors."""

from __future__ import annotations

from posewire_server.models.errors import (
    DamagedCheckpointError,
    RefusedCheckpointError,
    WrongWeightsError,
)

_SHOWN_CHARACTERS = 80


class PickledDict:
    """A list of a dict's items, in file order; keys are neither hashed nor compared."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[tuple[object, object]] = []

    def __setitem__(self, key: object, value: object) -> None:
        self.items.append((key, value))

    def __setstate__(self, state: object) -> None:
        """Ignore the attributes of an OrderedDict: a state dict keeps its `_metadata` there."""
        if not isinstance(state, PickledDict):
            raise RefusedCheckpointError(
                f"pickle sets the state of a dict to {describe(state)}, want a dict"
            )

    def by_name(self) -> dict[str, object]:
        """Return the items as a dict with string keys."""
        values: dict[str, object] = {}
        for key, value in self.items:
            if not isinstance(key, str) or not key.isprintable():
                raise WrongWeightsError(f"has {describe(key)} for a key, want printable strings")
            if key in values:
                raise DamagedCheckpointError(f"has the key {describe(key)} twice, want it once")
            values[key] = value
        return values


def describe(value: object) -> str:
    """Describe a value in a few words, however large, deep or circular it is."""
    if isinstance(value, str):
        return ascii(value[:_SHOWN_CHARACTERS]) + ("..." if len(value) > _SHOWN_CHARACTERS else "")
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, PickledDict):
        return f"a dict of {len(value.items)}"
    if isinstance(value, (bool, int, float)) or value is None:
        return repr(value)
    return str(getattr(value, "name", f"a {type(value).__name__.lower()}"))
