"""How a serving process ends, whatever its threads do."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.numbered_frames import numbered_image

ROOT = Path(__file__).parents[2]
TIMEOUT = 60
# What loading or the network takes in these tests: a process that waits for it is too late.
LONG_SECS = 40


@contextmanager
def stub_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "tests.reference.stub_server", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and stderr."""
    _, err = process.communicate(timeout=LONG_SECS / 2)
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_while_models_load_does_not_wait_for_them(number: signal.Signals) -> None:
    with stub_process("--load-secs", str(LONG_SECS)) as process:
        assert line_of(process) == "loading"
        process.send_signal(number)
        assert end_of(process) == (0, "")


def infer_for_long(process: subprocess.Popen[str]) -> tuple[grpc.Channel, grpc.Future]:
    channel = grpc.insecure_channel(line_of(process))
    request = messages.EstimatePosesRequest(image=numbered_image(1))
    call = PoseServiceStub(channel).EstimatePoses.future(request, timeout=TIMEOUT)
    time.sleep(1)  # until the network runs
    return channel, call


def test_the_grace_period_bounds_a_drain_beside_a_long_inference() -> None:
    with stub_process("--secs", str(LONG_SECS), "--grace", "1") as process:
        channel, call = infer_for_long(process)
        with channel:
            process.send_signal(signal.SIGTERM)
            assert end_of(process) == (0, "")
            assert call.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_the_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    with stub_process("--secs", str(LONG_SECS), "--grace", "600") as process:
        channel, _ = infer_for_long(process)
        with channel:
            process.send_signal(number)
            time.sleep(0.2)
            process.send_signal(number)
            assert end_of(process) == (128 + number, "")
