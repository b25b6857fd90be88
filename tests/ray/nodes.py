"""Nodes of a Ray cluster on a busy machine.

Ray gives a node 30 seconds to start, which such a machine exceeds now and then.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

TRIES = 4


def add_node(cluster: Any, **options: Any) -> Any:
    """Start a node, if need be in several tries."""
    for _ in range(TRIES - 1):
        with suppress(Exception):
            return cluster.add_node(**options)
    return cluster.add_node(**options)
