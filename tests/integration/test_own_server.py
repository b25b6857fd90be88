"""A server as a child of the process that needs it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from posewire_cli.errors import OwnServerError
from posewire_cli.own_server import own_server
from posewire_client import Client, PosewireError
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import load_models
from tests.reference.colour_network import colour_network

PATIENCE_SECS = 60
NETWORK = RunnerOptions(inference_num_threads=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "colours.xml"
    ov.save_model(colour_network(), path, compress_to_fp16=False)
    return path


def test_it_answers_until_the_block_ends(
    network: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)  # as --verbose does
    image = np.zeros((64, 64, 3), np.uint8)
    load = partial(load_models, [installed_model(str(network))], NETWORK)
    with own_server(load) as address, Client(address, retry_for_secs=0) as client:
        assert client.estimate(image).model == "colours"
    with Client(address, retry_for_secs=0) as client, pytest.raises(PosewireError):
        client.estimate(image, timeout_secs=5)
    log = capfd.readouterr().err
    assert f"listening at {address}" in log
    assert "loaded and warmed up colours in" in log


def test_a_model_that_cannot_be_run_is_told_of(network: Path) -> None:
    load = partial(load_models, [installed_model(str(network))], RunnerOptions(device="NPU9"))
    with pytest.raises(OwnServerError, match="device NPU9"), own_server(load):
        pass


def test_a_child_that_dies_is_told_of() -> None:
    with pytest.raises(OwnServerError, match="ended while it was starting"), own_server(_die):
        pass


def _die() -> list[object]:
    os._exit(3)


def test_it_does_not_outlive_a_parent_that_is_killed(network: Path) -> None:
    code = (
        "from functools import partial; import multiprocessing, time\n"
        "from tests.integration.test_own_server import *\n"
        f"load = partial(load_models, [installed_model({str(network)!r})], NETWORK)\n"
        "with own_server(load) as address:\n"
        "    print(multiprocessing.active_children()[0].pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECS
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
