"""What can be wrong with a model or its files.

    ModelError(Exception)
    ├── UnknownModelError        neither in the catalog nor a file
    ├── NotInstalledError        in the catalog, but not on this machine, or not whole
    ├── FetchError               a file did not come, and asking again will not mend it
    │   ├── TransferError        what went wrong on the way may be gone the next time
    │   └── WrongFileError       a file came, but not the one that the catalog describes
    ├── NetworkError             OpenVINO cannot make poses with the file
    │   ├── UnreadableNetworkError   no network that OpenVINO can read
    │   ├── WrongNetworkError        a network, but not one from an image to heatmaps and tags
    │   └── CompileError             sound, but not to be had on this device with these hints
    └── CheckpointError(ValueError)
        ├── DamagedCheckpointError   cut short, too long or at odds with itself, or no checkpoint
        ├── RefusedCheckpointError   asks for more than it takes to hold tensors
        ├── NoStateDictError         sound, but not tensors under names
        └── WrongWeightsError        tensors under names, but not those of the network wanted

Each message names the file, what was found and what was wanted.
"""

from __future__ import annotations


class ModelError(Exception):
    """A model that cannot be had."""


class UnknownModelError(ModelError):
    """A name that is neither in the catalog nor a file."""


class NotInstalledError(ModelError):
    """A model of the catalog that is not on this machine, or not whole."""


class FetchError(ModelError):
    """A file that did not come, and that asking again will not bring."""


class TransferError(FetchError):
    """A file that did not come whole, and may come the next time."""


class WrongFileError(FetchError):
    """A file that is not the one that the catalog describes."""


class NetworkError(ModelError):
    """A network that cannot be run."""


class UnreadableNetworkError(NetworkError):
    """A file that is no network, or lacks the file of its weights."""


class WrongNetworkError(NetworkError):
    """A network whose input or outputs are not those of an associative-embedding pose network."""


class CompileError(NetworkError):
    """A network that OpenVINO does not run on the device, or not with the hints."""


class CheckpointError(ModelError, ValueError):
    """A checkpoint that cannot be read."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is cut short, too long or at odds with itself."""


class RefusedCheckpointError(CheckpointError):
    """A checkpoint that asks for code, compression or more room than its tensors can need."""


class NoStateDictError(CheckpointError):
    """A checkpoint that holds something other than tensors under names."""


class WrongWeightsError(CheckpointError):
    """Tensors under names that are not those of the network wanted."""
