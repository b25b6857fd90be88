"""The names that a checkpoint may call, and what stands for them here.

A pickle can hand the same long tuple over and over: what is called looks at no more of its
arguments than it can use.
"""

from __future__ import annotations

from typing import TypeGuard

from posewire_server.models.checkpoint.pickled import PickledDict, Reducer, described
from posewire_server.models.checkpoint.tensor import (
    MAX_AXES,
    STORAGE_TYPES,
    Storage,
    StorageType,
    Tensor,
)
from posewire_server.models.errors import RefusedCheckpointError

# PyTorch's keys are decimal numbers.
_MAX_KEY_CHARACTERS = 64


def allowed_name(module: str, name: str) -> StorageType | Reducer:
    """What stands for a name; `RefusedCheckpointError` tells any but the few of a state dict."""
    try:
        return _ALLOWED[f"{module}.{name}"]
    except KeyError:
        raise RefusedCheckpointError(
            f"pickle names {described(f'{module}.{name}')}, "
            "want only what dense tensors of real numbers, dicts and lists are written with"
        ) from None


def storage_of(persistent_id: object) -> Storage:
    """The storage that a persistent id stands for.

    It is ("storage", type, key, device, element count); the old format has a sixth part, which is
    None in all but the first releases of PyTorch, where it made a storage a part of another.
    """
    match _without_last(persistent_id, length=6):
        case ("storage", StorageType() as kind, str() as key, str(), count) if (
            type(count) is int and count >= 0 and len(key) <= _MAX_KEY_CHARACTERS
        ):
            return Storage(kind, key, count)
    raise RefusedCheckpointError(
        f"persistent id is {_listed(persistent_id)}, want 'storage', type, key, device and count"
    )


def _ordered_dict(arguments: tuple[object, ...]) -> PickledDict:
    if arguments:
        raise RefusedCheckpointError(f"OrderedDict of {_listed(arguments)}, want it empty")
    return PickledDict()


def _tensor(arguments: tuple[object, ...]) -> Tensor:
    match _without_last(arguments, length=7):
        case (Storage() as storage, offset, shape, strides, bool(), hooks) if (
            type(offset) is int and _are_ints(shape) and _are_ints(strides) and _is_nothing(hooks)
        ):
            return Tensor(storage, offset, shape, strides)
    raise RefusedCheckpointError(
        f"_rebuild_tensor_v2 of {_listed(arguments)}, "
        f"want storage, offset, shape and strides (at most {MAX_AXES}), requires_grad, no hooks "
        "and no metadata"
    )


def _parameter(arguments: tuple[object, ...]) -> Tensor:
    match arguments:
        case (Tensor() as tensor, bool(), _):
            return tensor
    raise RefusedCheckpointError(
        f"_rebuild_parameter of {_listed(arguments)}, want a tensor, requires_grad and hooks"
    )


def _without_last(parts: object, *, length: int) -> object:
    """Takes off the part that later releases added, if it is there and says nothing."""
    if isinstance(parts, tuple) and len(parts) == length and _is_nothing(parts[-1]):
        return parts[:-1]
    return parts


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, PickledDict) and not value.items)


def _are_ints(value: object) -> TypeGuard[tuple[int, ...]]:
    """Whether these can be lengths or strides; True and False are not taken for numbers."""
    if not isinstance(value, tuple) or len(value) > MAX_AXES:
        return False
    return all(type(each) is int for each in value)


def _listed(parts: object) -> str:
    shown = parts[:8] if isinstance(parts, tuple) else (parts,)
    return f"({', '.join(map(described, shown))})"


_ALLOWED: dict[str, StorageType | Reducer] = {
    entry.name: entry
    for entry in (
        *STORAGE_TYPES,
        Reducer("collections.OrderedDict", _ordered_dict),
        Reducer("torch._utils._rebuild_tensor_v2", _tensor),
        Reducer("torch._utils._rebuild_parameter", _parameter),
    )
}
