"""Downloading models into the cache; start at `model`."""

from posewire_server.models.fetch.model import Source, fetch_model, install_checkpoint

__all__ = ["Source", "fetch_model", "install_checkpoint"]
