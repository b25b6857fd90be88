"""PyTorch checkpoints, read without PyTorch; `reader` is where to start."""

from posewire_server.models.checkpoint.reader import read_checkpoint

__all__ = ["read_checkpoint"]
