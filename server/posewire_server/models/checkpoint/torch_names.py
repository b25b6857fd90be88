"""The names that a checkpoint may call, and the functions that they call here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from posewire_server.models.checkpoint.pickled import PickledDict, describe
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


def find_name(module: str, name: str) -> StorageType | Callable[..., object]:
    try:
        return _ALLOWED[f"{module}.{name}"]
    except KeyError:
        raise RefusedCheckpointError(
            f"pickle names {describe(f'{module}.{name}')}, want only the names that dense tensors "
            "of real numbers, dicts and lists are written with"
        ) from None


def make_storage(persistent_id: object) -> Storage:
    """Make the storage of ("storage", type, key, device, element count).

    Legacy files add a sixth part: None, but for the first releases of PyTorch, where it made a
    storage a part of another.
    """
    match _drop_empty_last(persistent_id, length=6):
        case ("storage", StorageType() as kind, str() as key, str(), count) if (
            type(count) is int and count >= 0 and len(key) <= _MAX_KEY_CHARACTERS
        ):
            return Storage(kind, key, count)
    raise RefusedCheckpointError(
        f"persistent id is {_list(persistent_id)}, want 'storage', type, key, device and count"
    )


def _make_dict(*arguments: object) -> PickledDict:
    if arguments:
        raise RefusedCheckpointError(f"OrderedDict of {_list(arguments)}, want it empty")
    return PickledDict()


def _rebuild_tensor(*arguments: object) -> Tensor:
    match _drop_empty_last(arguments, length=7):
        case (Storage() as storage, offset, shape, strides, bool(), hooks) if (
            type(offset) is int and _are_ints(shape) and _are_ints(strides) and _is_empty(hooks)
        ):
            return Tensor(storage, offset, shape, strides)
    raise RefusedCheckpointError(
        f"_rebuild_tensor_v2 of {_list(arguments)}, "
        f"want storage, offset, shape and strides (at most {MAX_AXES}), requires_grad, no hooks "
        "and no metadata"
    )


def _rebuild_parameter(*arguments: object) -> Tensor:
    match arguments:
        case (Tensor() as tensor, bool(), _):
            return tensor
    raise RefusedCheckpointError(
        f"_rebuild_parameter of {_list(arguments)}, want a tensor, requires_grad and hooks"
    )


def _drop_empty_last(parts: object, *, length: int) -> object:
    """Drop the part that only some releases write, if it is there and empty."""
    if isinstance(parts, tuple) and len(parts) == length and _is_empty(parts[-1]):
        return parts[:-1]
    return parts


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, PickledDict) and not value.items)


def _are_ints(value: object) -> TypeGuard[tuple[int, ...]]:
    """Whether these can be lengths or strides, which True and False cannot."""
    if not isinstance(value, tuple) or len(value) > MAX_AXES:
        return False
    return all(type(each) is int for each in value)


def _list(parts: object) -> str:
    shown = parts[:8] if isinstance(parts, tuple) else (parts,)
    return f"({', '.join(map(describe, shown))})"


_ALLOWED: dict[str, StorageType | Callable[..., object]] = {
    **{kind.name: kind for kind in STORAGE_TYPES},
    "collections.OrderedDict": _make_dict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
}
