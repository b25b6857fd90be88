from __future__ import annotations

import pytest

from posewire_cli.output.error_text import describe_error
from posewire_client import FieldViolation, InvalidArgumentError, UnavailableError


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("options.max_poses", "--max-poses: got 0"),
        ("config.options.region_of_interest", "--region: got 0"),
        ("config.options.region_of_interest.x_max", "--region x_max: got 0"),
        ("config.max_frames_in_flight", "--window: got 0"),
        ("image.encoded.data", "image: got 0"),
        ("frame.image.raw.width", "image: got 0"),
        ("config.of_a_newer_server", "config.of_a_newer_server: got 0"),
    ],
)
def test_fields_are_called_by_their_options(field: str, text: str) -> None:
    error = InvalidArgumentError(
        f"{field}: got 0", reason="FIELD_INVALID", violations=(FieldViolation(field, "got 0"),)
    )
    assert describe_error(error) == text


def test_an_image_may_have_another_name_or_none() -> None:
    violations = (FieldViolation("image.encoded.data", "got 0 bytes"),)
    error = InvalidArgumentError("image.encoded.data: got 0 bytes", violations=violations)
    assert describe_error(error, image="--image") == "--image: got 0 bytes"
    assert describe_error(error, image="") == "got 0 bytes"


def test_other_errors_are_unchanged() -> None:
    assert describe_error(UnavailableError("gone")) == "UNAVAILABLE: gone"
