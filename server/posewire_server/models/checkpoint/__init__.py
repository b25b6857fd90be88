"""PyTorch checkpoints, read without PyTorch; start at `reader`."""

from posewire_server.models.checkpoint.reader import read_checkpoint

__all__ = ["read_checkpoint"]
