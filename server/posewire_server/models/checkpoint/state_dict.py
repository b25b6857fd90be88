"""The state dict in what a checkpoint holds."""

from __future__ import annotations

from posewire_server.models.checkpoint.pickled import PickledDict, described
from posewire_server.models.checkpoint.tensor import Tensor
from posewire_server.models.errors import NoStateDictError

# Left in the names by data-parallel training, and by a network kept as second part of a Sequential,
# as the official HigherHRNet files of 640 pixels were.
_PREFIXES = ("module.", "1.")


def tensors_by_name(root: object) -> dict[str, Tensor]:
    """The tensors of the state dict, in its order.

    The state dict is what `root` has under "state_dict", else under "model", else `root`; training
    scripts keep the network's name under "model", so what is no dict is passed over. Values that
    are not tensors are left out. Each prefix that all names have is taken off once.

    Raises `NoStateDictError` where there is no tensor.
    """
    values = _state_dict(root)
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    if not tensors:
        shown = ", ".join(f"{described(name)}: {described(values[name])}" for name in [*values][:5])
        raise NoStateDictError(f"state dict has no tensor but {{{shown}}}, want tensors by name")
    for prefix in _PREFIXES:
        tensors = _without_prefix(tensors, prefix)
    return tensors


def _state_dict(root: object) -> dict[str, object]:
    if not isinstance(root, PickledDict):
        raise NoStateDictError(f"holds {described(root)}, want a dict of tensors")
    values = root.by_name()
    for name in ("state_dict", "model"):
        nested = values.get(name)
        if isinstance(nested, PickledDict):
            return nested.by_name()
    return values


def _without_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if not all(name.startswith(prefix) for name in tensors):
        return tensors
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
