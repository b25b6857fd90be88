"""Networks fetched into the cache; `model` is where to start."""

from posewire_server.models.fetch.model import Source, fetch_model, install_checkpoint

__all__ = ["Source", "fetch_model", "install_checkpoint"]
