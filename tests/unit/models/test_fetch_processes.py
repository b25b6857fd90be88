from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.reference.model_server import ModelServer, Reply
from tests.reference.small_models import CONTENT, XML, fetching_process, prebuilt_entry

NETWORK = {"/fp32/small.xml": [Reply(XML)], "/fp32/small.bin": [Reply(CONTENT)]}
WAIT_SECS = 60


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def wait_for(path: Path, size: int) -> None:
    deadline = time.monotonic() + WAIT_SECS
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


def test_one_of_two_processes_downloads_for_both(tmp_path: Path) -> None:
    slow = [Reply(CONTENT, sent=1000, stalls=True), Reply(CONTENT)]
    with ModelServer({**NETWORK, "/fp32/small.bin": slow}) as server:
        model = prebuilt_entry(server.address)
        first = fetching_process(model, "--cache", str(tmp_path))
        # Once the first has received bytes it holds the lock, until the server closes.
        wait_for(tmp_path / "small/fp32.part/small.bin.part", 1000)
        second = fetching_process(model, "--cache", str(tmp_path))
        assert second.stderr is not None
        assert b"waiting for another process" in second.stderr.readline()
        server.stopping.set()
        answers = [process.communicate(timeout=WAIT_SECS) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    xml = tmp_path / "small/fp32/small.xml"
    assert [out for out, _ in answers] == [f"{xml}\n".encode()] * 2
    assert answers[0][1] == b""
    assert xml.with_suffix(".bin").read_bytes() == CONTENT
    assert [request.path for request in server.requests] == [
        "/fp32/small.xml",
        "/fp32/small.bin",
        "/fp32/small.bin",
    ]
    assert server.ranges[-1] == "bytes=1000-"


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_next_run_resumes_an_interrupted_one(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    stalling = [Reply(CONTENT, sent=1000, stalls=True), Reply(CONTENT)]
    with ModelServer({**NETWORK, "/fp32/small.bin": stalling}) as server:
        model = prebuilt_entry(server.address)
        process = fetching_process(model, "--cache", str(tmp_path))
        wait_for(tmp_path / "small/fp32.part/small.bin.part", 1000)
        process.send_signal(how)
        out, err = process.communicate(timeout=WAIT_SECS)
        assert (process.returncode, out) == (code, b"")
        assert err == (b"posewire: interrupted\n" if how is signal.SIGINT else b"")
        assert not (tmp_path / "small/fp32").exists()
        server.stopping.set()
        again = fetching_process(model, "--cache", str(tmp_path))
        out, err = again.communicate(timeout=WAIT_SECS)
    assert (again.returncode, err) == (0, b"")
    assert server.ranges == [None, None, "bytes=1000-"]
    assert (tmp_path / "small/fp32/small.bin").read_bytes() == CONTENT


def test_a_full_disk_is_reported_and_received_bytes_are_kept(tmp_path: Path) -> None:
    limit = 100_000
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    with ModelServer(NETWORK) as server:
        model = prebuilt_entry(server.address)
        process = fetching_process(model, "--cache", str(tmp_path), before=full)
        out, err = process.communicate(timeout=WAIT_SECS)
        assert (process.returncode, out) == (1, b"")
        part = tmp_path / "small/fp32.part/small.bin.part"
        assert err.decode() == (
            f"posewire: {part}: File too large after {limit} of {len(CONTENT)} bytes; "
            "free some space, or name another cache by --cache or POSEWIRE_CACHE\n"
        )
        again = fetching_process(model, "--cache", str(tmp_path))
        assert again.communicate(timeout=WAIT_SECS)[1] == b""
    assert again.returncode == 0
    assert server.ranges[-1] == f"bytes={limit}-"
    assert (tmp_path / "small/fp32/small.bin").read_bytes() == CONTENT
