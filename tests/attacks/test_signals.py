"""How a serving process ends, whatever its threads do. Prints the time from the signal on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import grpc
import pytest

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.numbered_frames import numbered_image
from tests.reference.stub_process import StubProcess, stub_process

TIMEOUT = 60
# What loading or the network takes in these tests: a process that waits for it is too late.
LONG_SECS = 90
# Runs a command as PID 1 of its own namespace, without privileges, and ends it with itself.
AS_PID_1 = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")

Report = Callable[[str], None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_while_models_load_does_not_wait_for_them(
    report: Report, number: signal.Signals
) -> None:
    with stub_process("--load-secs", str(LONG_SECS)) as process:
        assert process.line() == "loading"
        process.signal(number)
        assert process.end() == (0, "")
        report(
            f"ended {process.secs_since_signal:.2f} s after the signal, loading takes {LONG_SECS}"
        )


def infer_for_long(process: StubProcess) -> tuple[grpc.Channel, grpc.Future]:
    channel = grpc.insecure_channel(process.line())
    request = messages.EstimatePosesRequest(image=numbered_image(1))
    call = PoseServiceStub(channel).EstimatePoses.future(request, timeout=TIMEOUT)
    time.sleep(1)  # until the network runs
    return channel, call


def test_the_grace_period_bounds_a_drain_beside_a_long_inference(report: Report) -> None:
    with stub_process("--secs", str(LONG_SECS), "--grace", "1") as process:
        channel, call = infer_for_long(process)
        with channel:
            process.signal(signal.SIGTERM)
            assert process.end() == (0, "")
            report(f"ended {process.secs_since_signal:.2f} s after the signal, grace 1 s")
            assert call.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_the_second_signal_ends_the_process_at_once(report: Report, number: signal.Signals) -> None:
    with stub_process("--secs", str(LONG_SECS), "--grace", "600") as process:
        channel, _ = infer_for_long(process)
        with channel:
            process.signal(number)
            time.sleep(0.2)
            process.signal(number)
            assert process.end() == (128 + number, "")
            report(f"ended {process.secs_since_signal:.2f} s after the second signal, grace 600 s")


def why_not_pid_1() -> str:
    """Return why this machine runs nothing as PID 1, or nothing if it does."""
    if shutil.which(AS_PID_1[0]) is None:
        return "there is no unshare"
    tried = subprocess.run([*AS_PID_1, "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def test_the_second_signal_ends_a_server_that_is_pid_1(report: Report) -> None:
    """The kernel ignores signals to PID 1 that it does not handle."""
    if reason := why_not_pid_1():
        pytest.skip(reason)
    arguments = ("--secs", str(LONG_SECS), "--grace", "600")
    with stub_process(*arguments, below=AS_PID_1) as process:
        channel, _ = infer_for_long(process)
        process.signal_child()
        with channel:
            process.signal(signal.SIGTERM)
            time.sleep(0.2)
            process.signal(signal.SIGTERM)
            assert process.end() == (128 + signal.SIGTERM, "")
            report(f"ended {process.secs_since_signal:.2f} s after the second SIGTERM, as PID 1")
