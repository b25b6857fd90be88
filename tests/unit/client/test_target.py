from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from posewire_client import Client
from posewire_client.target import check_target
from tests.unit.test_address import BAD, GOOD

# The targets that the clients of all languages accept and refuse.
TARGETS = yaml.safe_load((Path(__file__).parents[2] / "clients" / "targets.yaml").read_text())
REFUSED = {**TARGETS["refused"], **TARGETS["refused_by_core"]}


@pytest.mark.parametrize(
    "target",
    [
        *(text for text, address in GOOD.items() if address.path or address.port),
        *TARGETS["accepted"],
        *TARGETS["accepted_by_core"],
    ],
)
def test_targets_of_grpc_are_accepted(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize("target", [*BAD, *REFUSED, "xds:///a b"])
def test_what_grpc_would_mishear_is_refused(target: str) -> None:
    fault = re.escape(REFUSED.get(target, ""))
    wanted = "want HOST:PORT, .* or a gRPC target such as dns:///"
    with pytest.raises(ValueError, match=f"{fault}.*, {wanted}"):
        check_target(target)


def test_a_client_names_its_argument() -> None:
    with pytest.raises(ValueError, match=re.escape("target: got '127.0.0.1:99999' with the bad")):
        Client("127.0.0.1:99999")
