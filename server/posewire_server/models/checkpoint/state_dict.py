"""Finding the state dict in a checkpoint."""

from __future__ import annotations

from posewire_server.models.checkpoint.pickled import PickledDict, describe
from posewire_server.models.checkpoint.tensor import Tensor
from posewire_server.models.errors import WrongWeightsError

# From data-parallel training, and from a network that was the second part of a Sequential, as in
# the official HigherHRNet files of 640 pixels.
_PREFIXES = ("module.", "1.")


def tensors_by_name(root: object) -> dict[str, Tensor]:
    """Return the tensors of the state dict, in its order.

    The state dict is the dict under "state_dict", else under "model", else `root`; training scripts
    keep the network's name under "model" too. Values that are not tensors are left out. Each
    prefix that all names have is dropped once.
    """
    values = _find_state_dict(root)
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    if not tensors:
        shown = ", ".join(f"{describe(name)}: {describe(values[name])}" for name in [*values][:5])
        raise WrongWeightsError(f"state dict has no tensor but {{{shown}}}, want tensors by name")
    for prefix in _PREFIXES:
        tensors = _drop_prefix(tensors, prefix)
    return tensors


def _find_state_dict(root: object) -> dict[str, object]:
    if not isinstance(root, PickledDict):
        raise WrongWeightsError(f"holds {describe(root)}, want a dict of tensors")
    values = root.by_name()
    for name in ("state_dict", "model"):
        nested = values.get(name)
        if isinstance(nested, PickledDict):
            return nested.by_name()
    return values


def _drop_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if not all(name.startswith(prefix) for name in tensors):
        return tensors
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
