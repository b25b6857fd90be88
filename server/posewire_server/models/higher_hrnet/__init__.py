"""HigherHRNet built in OpenVINO operations; `graph` is where to start."""

from posewire_server.models.higher_hrnet.graph import higher_hrnet

__all__ = ["higher_hrnet"]
