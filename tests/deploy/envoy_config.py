"""The shipped configurations of Envoy, and what the server and Envoy expect of their times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ENVOY = Path(__file__).parents[2] / "deploy/envoy"
# The least time between two pings that the server allows.
PING_INTERVAL_SECS = 1
# What Envoy adds to the interval of its pings by default.
PING_JITTER = 0.15


def read(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the listener's filter chain, its connection manager and the cluster."""
    resources = yaml.safe_load((ENVOY / name).read_text())["static_resources"]
    (listener,) = resources["listeners"]
    (chain,) = listener["filter_chains"]
    (cluster,) = resources["clusters"]
    return chain, chain["filters"][0]["typed_config"], cluster


def route_of(manager: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the route of a path. Raises `LookupError` if there is none."""
    (host,) = manager["route_config"]["virtual_hosts"]
    for each in host["routes"]:
        match = each["match"]
        if path == match.get("path") or path.startswith(match.get("prefix", "\0")):
            route: dict[str, Any] = each["route"]
            return route
    raise LookupError(f"no route for {path}")
