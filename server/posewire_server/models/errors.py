"""Errors of models and their files.

    ModelError(Exception)
    ├── UnknownModelError        not a model of the catalog, nor a file
    ├── NotInstalledError        in the catalog, but not, or not fully, on this machine
    ├── FetchError               a download that failed permanently
    │   ├── TransferError        a download that may succeed when tried again
    │   └── WrongFileError       a file other than the one in the catalog
    ├── NetworkError             a file that is not a pose network of this family
    │   └── CompileError         a network that the device cannot run with the given options
    └── CheckpointError          a checkpoint that cannot be converted
        ├── DamagedCheckpointError   cut, inconsistent, or not a checkpoint
        ├── RefusedCheckpointError   needs more than tensors do: code, compression, memory
        └── WrongWeightsError        not the tensors of a network that posewire knows

Each message names the file, what was found and what is expected, and the remedy where it is not
obvious.
"""

from __future__ import annotations


class ModelError(Exception):
    """A model that cannot be used."""


class UnknownModelError(ModelError):
    """A name that is neither a model of the catalog nor a file."""


class NotInstalledError(ModelError):
    """A model of the catalog that is not, or not fully, on this machine."""


class FetchError(ModelError):
    """A download that failed permanently."""


class TransferError(FetchError):
    """A download that failed, but that a retry may complete."""


class WrongFileError(FetchError):
    """A file whose size or checksum differs from the catalog's."""


class NetworkError(ModelError):
    """A file that is not an associative-embedding pose network that OpenVINO can read."""


class CompileError(NetworkError):
    """A network that OpenVINO cannot run on the device or with the given options."""


class CheckpointError(ModelError):
    """A checkpoint that cannot be converted."""


class DamagedCheckpointError(CheckpointError):
    """A file that is cut, inconsistent or not a checkpoint."""


class RefusedCheckpointError(CheckpointError):
    """A checkpoint that needs code, compression or more memory than its tensors do."""


class WrongWeightsError(CheckpointError):
    """A checkpoint without tensors by name, or without those of the wanted network."""
