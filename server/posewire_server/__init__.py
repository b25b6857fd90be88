"""The posewire server."""
