from __future__ import annotations

import pytest

from posewire_cli.command.connection import open_client
from posewire_cli.errors import TargetError
from posewire_client import FieldViolation, InvalidArgumentError, PosewireError, UnavailableError

FAULT = InvalidArgumentError(
    "config.options.region_of_interest.x_max: got 1, want at least x_min, 5",
    violations=(
        FieldViolation("config.options.region_of_interest.x_max", "got 1, want at least x_min, 5"),
    ),
)


@pytest.mark.parametrize(
    ("own_model", "error", "message"),
    [
        ("", FAULT, "server localhost:1: --region x_max: got 1, want at least x_min, 5"),
        ("demo", FAULT, "--region x_max: got 1, want at least x_min, 5"),
        (
            "",
            UnavailableError("gone"),
            "server localhost:1: UNAVAILABLE: gone; want a running server, see posewire serve "
            "--help",
        ),
        (
            "demo",
            UnavailableError("gone"),
            "--model demo: its process does not answer any more; see --verbose",
        ),
    ],
)
def test_errors_speak_of_what_the_user_gave(
    own_model: str, error: PosewireError, message: str
) -> None:
    with pytest.raises(TargetError) as caught, open_client("localhost:1", own_model=own_model):
        raise error
    assert str(caught.value) == message
