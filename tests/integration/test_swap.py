"""`posewire serve` takes over changed models on SIGHUP, without an error for any call."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

import grpc
import openvino as ov
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.colour_network import colour_network, painted_frame, person_at
from tests.reference.waiting import wait_until
from tests.reference.worker_processes import workers_of

TIMEOUT = 120
FRAME = painted_frame(96, 96, [person_at(20, 20, 14)], sigma=4.0)
RAW = image_pb2.RawImage(
    data=FRAME.tobytes(), width=96, height=96, pixel_format=image_pb2.PIXEL_FORMAT_BGR8
)
IMAGE = image_pb2.Image(raw=RAW)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks that differ in their weights: `one` finds the person, `none` nobody."""
    folder = tmp_path_factory.mktemp("networks")
    ov.save_model(colour_network(), folder / "one.xml", compress_to_fp16=False)
    ov.save_model(colour_network(least_cosine=1.5), folder / "none.xml", compress_to_fp16=False)
    return folder


@pytest.fixture
def model(networks: Path, tmp_path: Path) -> Path:
    path = tmp_path / "model.xml"
    install(networks / "one.xml", path)
    return path


def install(network: Path, path: Path) -> None:
    """Overwrite the files in place, which is the worst way for a server that has read them."""
    for suffix in (".xml", ".bin"):
        shutil.copyfile(network.with_suffix(suffix), path.with_suffix(suffix))


class Serving:
    """A running server and what it has logged."""

    def __init__(self, process: subprocess.Popen[str], address: str, channel: grpc.Channel) -> None:
        self.process = process
        self.address = address
        self.stub = PoseServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def workers(self) -> list[int]:
        """Return the server processes of a parent in the order in which they were started."""
        return workers_of(self.process.pid)

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def wait_for(self, pattern: str) -> str:
        """Return the next line of the log that has this."""
        while not re.search(pattern, line := self._lines.get(timeout=TIMEOUT)):
            pass
        return line

    def people(self, model: str = "") -> int:
        request = messages.EstimatePosesRequest(model=model, image=IMAGE)
        return len(self.stub.EstimatePoses(request, timeout=TIMEOUT).poses)

    def models(self) -> messages.ListModelsResponse:
        return self.stub.ListModels(messages.ListModelsRequest(), timeout=TIMEOUT)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)


@contextmanager
def serve(*arguments: str) -> Iterator[Serving]:
    command = [sys.executable, "-W", "error", "-m", "posewire_cli", "serve", "--verbose"]
    fixed = ["--address", "127.0.0.1:0", "--threads", "1", "--metrics-address", "none"]
    with subprocess.Popen(
        [*command, *fixed, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("posewire serves at "), process.communicate()[1]
            with grpc.insecure_channel(address := line.split()[-1]) as channel:
                yield Serving(process, address, channel)
        finally:
            process.kill()


class Stream:
    """An open stream, which sends a frame when it is asked to."""

    def __init__(self, serving: Serving) -> None:
        self._frame_ids: SimpleQueue[int | None] = SimpleQueue()
        self._last = 0
        self._responses = serving.stub.StreamPoses(self._requests(), timeout=TIMEOUT)
        assert next(self._responses).HasField("started")

    def people(self) -> int:
        self._last += 1
        self._frame_ids.put(self._last)
        return len(next(self._responses).outcome.result.poses)

    def is_draining(self) -> bool:
        return bool(next(self._responses).HasField("draining"))

    def end(self) -> None:
        self._frame_ids.put(None)
        assert list(self._responses) == []

    def _requests(self) -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        while (frame_id := self._frame_ids.get()) is not None:
            yield StreamPosesRequest(frame=stream_pb2.Frame(frame_id=frame_id, image=IMAGE))


class Caller:
    """Calls all the time, in a thread of its own; `seen` has every change of the answer."""

    def __init__(self, serving: Serving) -> None:
        self.seen: list[int] = []
        self.error: Exception | None = None
        self._serving = serving
        self._is_ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self._is_ended = True
        self._thread.join(TIMEOUT)
        assert self.error is None

    def _run(self) -> None:
        try:
            while not self._is_ended:
                if (people := self._serving.people()) not in self.seen[-1:]:
                    self.seen.append(people)
        except Exception as error:  # noqa: BLE001 - the test asserts that there is none
            self.error = error


def test_a_changed_file_takes_over_and_streams_keep_the_old_one(
    networks: Path, model: Path
) -> None:
    with serve("--model", str(model)) as serving:
        (before,) = serving.models().models
        stream, caller = Stream(serving), Caller(serving)
        assert stream.people() == 1
        install(networks / "none.xml", model)
        assert stream.people() == 1
        serving.hang_up()
        wait_until(lambda: caller.seen == [1, 0] or caller.error is not None, patience_secs=TIMEOUT)
        caller.end()
        assert caller.seen == [1, 0]
        (after,) = serving.models().models
        assert (after.name, after.version != before.version) == ("model", True)
        assert stream.people() == 1
        stream.end()
        serving.wait_for("models reloaded")

        model.with_suffix(".bin").write_bytes(b"noise")
        model.write_text("<net/>")
        serving.hang_up()
        line = serving.wait_for("models not reloaded, the old one stays in use")
        assert str(model) in line
        assert serving.people() == 0
        check = serving.health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
        assert check.status == health_pb2.HealthCheckResponse.SERVING

        install(networks / "one.xml", model)
        serving.hang_up()
        wait_until(lambda: serving.people() == 1, patience_secs=TIMEOUT)
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(TIMEOUT) == 0


def test_the_list_of_models_is_read_again_and_other_options_are_not(
    networks: Path, model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "posewire.toml"
    other = networks / "none.xml"
    file.write_text(f'model = ["{model}"]\nqueue = 1\nreload-drains = true\n')
    with serve("--config", str(file)) as serving:
        stream = Stream(serving)
        assert stream.people() == 1
        file.write_text(f'model = ["{other}"]\nqueue = 2\nmax-streams = 3\nreload-drains = true\n')
        serving.hang_up()
        line = serving.wait_for("takes effect at the next start")
        assert "WARNING" in line
        assert "--queue, --max-streams: takes effect at the next start" in line
        assert stream.is_draining()
        stream.end()
        assert serving.people() == 0
        assert serving.models().default_model == "none"
        with pytest.raises(grpc.RpcError) as caught:
            serving.people("model")
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND

        file.write_text(f'model = ["{model}"]\nqeue = 2\n')
        serving.hang_up()
        line = serving.wait_for("models not reloaded, the old one stays in use")
        assert f'Unknown option: "[qeue]" from {file}' in line
        assert serving.people() == 0


def test_processes_take_a_model_over_together(networks: Path, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "posewire.toml"
    file.write_text(f'model = ["{model}"]\nprocesses = 2\n')
    with serve("--config", str(file)) as serving, ExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]
        stubs = [
            PoseServiceStub(
                stack.enter_context(grpc.insecure_channel(serving.address, options=options))
            )
            for _ in range(6)
        ]

        def versions() -> set[str]:
            models = (stub.GetModel(messages.GetModelRequest(), timeout=TIMEOUT) for stub in stubs)
            return {each.model.version for each in models}

        (before,) = versions()
        install(networks / "none.xml", model)
        one = serving.workers()[0]
        with few_open_files(one):  # it cannot read the model, the other can
            serving.hang_up()
            serving.wait_for("models not reloaded, the old one stays in use")
            serving.wait_for("models not reloaded, the old one stays in use")
            assert versions() == {before}

        serving.hang_up()
        wait_until(lambda: before not in versions(), patience_secs=TIMEOUT)
        (after,) = versions()

        # A process that is replaced has the models of the present file.
        file.write_text(f'model = ["{model}", "{networks / "one.xml"}"]\nprocesses = 2\n')
        serving.hang_up()
        wait_until(lambda: len(serving.models().models) == 2, patience_secs=TIMEOUT)
        os.kill(one, signal.SIGTERM)
        serving.wait_for("ended with status 0; starting another")
        serving.wait_for("loaded and warmed up model, one")
        assert versions() == {after}
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(TIMEOUT) == 0


@contextmanager
def few_open_files(pid: int) -> Iterator[None]:
    """Keep a process from opening more files during the block."""
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
