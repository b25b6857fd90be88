from __future__ import annotations

import re
import subprocess
import sys

import pytest
from google.protobuf import any_pb2, duration_pb2

import posewire_client
from google.rpc import code_pb2, error_details_pb2, status_pb2
from posewire_client import errors
from posewire_client.status import error_from_status
from tests.reference.scripted_service import status

PUBLIC_NAMES = """
    AbortedError AlreadyExistsError AsyncClient Box CallCancelledError Client ClientClosedError
    DataLossError DeadlineExceededError Delivery EncodedImage EstimateOptions
    FailedPreconditionError FieldViolation FrameFailure FrameInput ImageInput InputSize
    InternalError InvalidArgumentError Keypoint MissingPackageError Model NoDisplayError
    NotFoundError OnWait Origin Outcome OutOfRangeError PermissionDeniedError Pose PosewireError
    Precision ProtocolError PushStream ResourceExhaustedError Result Skeleton Skipped SkipReason
    SmoothingOptions SourceCancelledError StageTimes StatusError TimedImage Tls UnauthenticatedError
    UnavailableError UnimplementedError UnknownStatusError UnsuitableImageError Waiting
"""


def test_the_public_names_are_these() -> None:
    assert sorted(posewire_client.__all__) == sorted(PUBLIC_NAMES.split())
    assert all(hasattr(posewire_client, name) for name in posewire_client.__all__)


def test_every_error_is_public() -> None:
    real = {name for name in vars(errors) if name.endswith("Error")}
    assert real == {name for name in posewire_client.__all__ if name.endswith("Error")}


def test_the_printed_error_tree_is_the_real_one() -> None:
    assert errors.__doc__ is not None
    printed = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)(?:\((\w+)\))?", errors.__doc__, re.MULTILINE)
    bases: dict[str, list[str]] = {}
    above: list[str] = []
    for indent, name, also in printed:
        depth = len(indent) // 4
        above[depth:] = [name]
        bases[name] = [above[depth - 1]] if depth else []
        bases[name] += [also] if also else []
    real = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.PosewireError)
    ]
    assert bases == {each.__name__: [base.__name__ for base in each.__bases__] for each in real}
    assert [*bases] == [each.__name__ for each in real]


def test_importing_the_client_imports_neither_the_server_nor_its_libraries() -> None:
    program = (
        "import sys, posewire_client\n"
        "print({'cv2', 'openvino', 'posewire_server', 'posewire_decoder'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"


@pytest.mark.parametrize("name", sorted({*code_pb2.Code.DESCRIPTOR.values_by_name} - {"OK"}))
def test_every_code_has_its_class(name: str) -> None:
    error = error_from_status(status(code_pb2.Code.Value(name), "why"))
    assert error.code == name
    assert error.message == "why"
    assert str(error) == f"{name}: why"
    assert type(error) is not errors.StatusError


def test_a_code_from_the_future_is_unknown() -> None:
    assert type(error_from_status(status(99, "?"))) is errors.UnknownStatusError


def test_details_are_read() -> None:
    info = error_details_pb2.ErrorInfo(
        domain="posewire", reason="FIELD_INVALID", metadata={"limit": "30"}
    )
    violation = error_details_pb2.BadRequest.FieldViolation(field="options.x", description="bad")
    bad_request = error_details_pb2.BadRequest(field_violations=[violation])
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=250_000_000))
    error = error_from_status(status(3, "no", info, bad_request, retry))
    assert isinstance(error, errors.InvalidArgumentError)
    assert (error.reason, error.metadata, error.from_server) == (
        "FIELD_INVALID",
        {"limit": "30"},
        True,
    )
    assert error.violations == (errors.FieldViolation("options.x", "bad"),)
    assert error.retry_after_secs == 0.25
    assert str(error) == "INVALID_ARGUMENT (FIELD_INVALID): no"


def test_a_status_without_details_is_not_the_servers_own() -> None:
    error = error_from_status(status(13, "reset"))
    assert (error.reason, error.violations, error.retry_after_secs, error.from_server) == (
        None,
        (),
        None,
        False,
    )


def test_details_of_another_domain_are_not_the_servers_own() -> None:
    info = error_details_pb2.ErrorInfo(domain="proxy.example", reason="OVERLOAD")
    error = error_from_status(status(14, "busy", info))
    assert (error.reason, error.from_server) == ("OVERLOAD", False)


def test_damaged_and_unknown_details_are_ignored() -> None:
    damaged = any_pb2.Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")
    unknown = any_pb2.Any(type_url="type.googleapis.com/example.Newer", value=b"")
    error = error_from_status(status_pb2.Status(code=5, message="?", details=[damaged, unknown]))
    assert isinstance(error, errors.NotFoundError)
    assert error.reason is None
