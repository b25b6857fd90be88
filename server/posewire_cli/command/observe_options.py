"""Options for the metrics and logs of a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from posewire.address import parse_address
from posewire_cli.log_format import LogFormat
from posewire_server.serving.observation.observers import ObserveOptions

_NONE = "none"
_DEFAULT_METRICS = "127.0.0.1:9464"


def check_metrics_address(_type: Any, address: str | None) -> None:
    """Raise `ValueError` for an address on which no server can listen."""
    if address not in (None, _NONE):
        parse_address(address, want="HOST:PORT, [IPV6]:PORT, unix:PATH or none")


@Parameter(name="*", group=Group("Observation", sort_key=3))
@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationOptions:
    metrics_address: Annotated[str | None, Parameter(validator=check_metrics_address)] = None
    """Address of the Prometheus endpoint, or none (default: 127.0.0.1:9464 if it is free)."""

    log_format: LogFormat | None = None
    """Log every call on stderr as a line of text or json (default: calls are not logged)."""

    def to_server(self) -> ObserveOptions:
        """Convert to the server's options; only an address given by the user is required."""
        address = self.metrics_address
        if address == _NONE:
            return ObserveOptions(telemetry=True)
        return ObserveOptions(
            metrics_address=address or _DEFAULT_METRICS,
            needs_metrics=address is not None,
            telemetry=True,
        )
