from __future__ import annotations

import asyncio
import errno
import os
from multiprocessing.context import SpawnProcess
from typing import Any, cast

import pytest

from posewire_server.serving.server import ServerOptions
from posewire_server.serving.workers import supervisor
from posewire_server.serving.workers.process import Parent, Worker
from posewire_server.serving.workers.worker import Job

pytestmark = pytest.mark.anyio

JOB = Job(cast(Any, None), ServerOptions(address="127.0.0.1:0"), None, cast(Any, None))
NO_PROCESS = OSError(errno.EAGAIN, "Resource temporarily unavailable")


async def test_a_process_that_the_system_cannot_start_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: SpawnProcess) -> None:
        raise NO_PROCESS

    monkeypatch.setattr(SpawnProcess, "start", fail)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(OSError, match="temporarily unavailable"):
            Worker(JOB, 0, cast(Parent, None), cpus=os.sched_getaffinity(0), listens_first=False)
    assert len(os.listdir("/proc/self/fd")) <= len(before)


async def test_a_process_that_cannot_be_replaced_now_is_replaced_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started = asyncio.Event()
    attempts: list[int] = []

    class FewProcesses:
        pid = 1

        def __init__(self, job: Job, number: int, *_: object, **__: object) -> None:
            attempts.append(number)
            if len(attempts) < 3:
                raise NO_PROCESS
            started.set()

    monkeypatch.setattr(supervisor, "Worker", FewProcesses)
    monkeypatch.setattr(supervisor, "_MIN_PAUSE_SECS", 0.01)
    running = supervisor._Supervisor(1, JOB, lambda: None)
    running._has_started = True
    running._start(0)
    await asyncio.wait_for(started.wait(), 20)
    os.close(running._usage_file)
    assert attempts == [0, 0, 0]
    assert caplog.text.count("process 0: cannot start it: ") == 2
