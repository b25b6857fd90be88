"""What can be wrong with a model's file.

    CheckpointError(ValueError)
    ├── DamagedCheckpointError   cut short, too long or at odds with itself, or no checkpoint at all
    ├── RefusedCheckpointError   asks for more than it takes to hold tensors
    └── NoStateDictError         sound, but not tensors under names

Each message names the file, what was found and what was wanted.
"""

from __future__ import annotations


class CheckpointError(ValueError):
    """A checkpoint that cannot be read."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is cut short, too long or at odds with itself."""


class RefusedCheckpointError(CheckpointError):
    """A checkpoint that asks for code, compression or more room than its tensors can need."""


class NoStateDictError(CheckpointError):
    """A checkpoint that holds something other than tensors under names."""
