"""HigherHRNet built from OpenVINO operations; start at `graph`."""

from posewire_server.models.higher_hrnet.graph import higher_hrnet

__all__ = ["higher_hrnet"]
