"""Send random messages to a server: `python -m tests.fuzz.fuzz_messages --seconds 60`.

They are made and mutated by the descriptors of all services, and sent over gRPC as bytes. Each call
must have an answer that the contract allows, in time and at little cost in memory. The server must
log no error, and still answer an honest call. Calls that lead to a new kind of answer are mutated
further. The one that breaks a rule, or the process, is left in build/fuzz/call.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.transport.native_messages import limit_native_messages
from tests.fuzz.answers import TIMEOUT_SECS, BrokenRuleError, answer
from tests.fuzz.calls import Call, CallMaker
from tests.reference.numbered_frames import numbered_image
from tests.reference.server_thread import serving
from tests.reference.stub_server import PEOPLE, stub_model

GOLDEN = Path(__file__).parents[1] / "golden"
CORPUS = GOLDEN / "messages"
INPUT = Path("build/fuzz/call")
LIMITS = ServiceLimits(image=ImageLimits(max_bytes=1 << 16, max_pixels=1 << 16))
OPTIONS = ServerOptions(address="127.0.0.1:0", limits=LIMITS, reflection=True, load_reports=True)
MAX_MESSAGE_BYTES = LIMITS.image.max_bytes + (1 << 16)
# 40 images of 64 KiB, decoded, and in buffers of gRPC.
MAX_GROWTH = 64 << 20
CALLS_PER_CHECK = 20
CALLS_PER_COLLECTION = 400


class Fuzzed:
    """A server under attack and a channel to it."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._stub = PoseServiceStub(channel)
        self._errors: list[str] = []

    def note_error(self, error: object) -> None:
        """Record an error of the server that no client sees."""
        self._errors.append(str(error))

    def answer(self, call: Call) -> str:
        """Make a call and return the kind of its answer; raises `BrokenRuleError`."""
        before = _peak_bytes()
        kind = answer(self._channel, call, max_message_bytes=MAX_MESSAGE_BYTES)
        growth = _peak_bytes() - before
        if growth > MAX_GROWTH:
            raise BrokenRuleError(f"it took {growth} bytes")
        self._check_errors()
        return kind

    def check_serves(self) -> None:
        """Raise `BrokenRuleError` unless an honest call is answered and nothing went wrong."""
        honest = EstimatePosesRequest(image=numbered_image(1))
        if len(self._stub.EstimatePoses(honest, timeout=TIMEOUT_SECS).poses) != PEOPLE:
            raise BrokenRuleError("an honest call has another answer")
        self._check_errors()

    def collect_garbage(self) -> None:
        """Have exceptions that were never retrieved reported."""
        gc.collect()
        self._check_errors()

    def _check_errors(self) -> None:
        if self._errors:
            raise BrokenRuleError("; ".join(self._errors))


@contextmanager
def fuzzed() -> Iterator[Fuzzed]:
    """Run a server in this process, and collect its errors."""
    model = stub_model(capacity=2, secs=0.0)
    options = [("grpc.max_send_message_length", -1)]
    with (
        serving(model, options=OPTIONS) as server,
        grpc.insecure_channel(server.address, options=options) as channel,
    ):
        target = Fuzzed(channel)
        handler = _ErrorHandler(target)
        logging.getLogger().addHandler(handler)
        before, sys.unraisablehook = sys.unraisablehook, target.note_error
        try:
            yield target
        finally:
            sys.unraisablehook = before
            logging.getLogger().removeHandler(handler)


class _ErrorHandler(logging.Handler):
    def __init__(self, target: Fuzzed) -> None:
        super().__init__(logging.ERROR)
        self._target = target

    def emit(self, record: logging.LogRecord) -> None:
        self._target.note_error(self.format(record))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument("--keep", type=Path, help="directory for the calls with new answers")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"messages: seed {seed}", flush=True)
    limit_native_messages()
    INPUT.parent.mkdir(parents=True, exist_ok=True)
    corpus = [Call.parse(path.read_text()) for path in sorted(CORPUS.iterdir())]
    chance = random.Random(seed)
    maker = CallMaker(chance, corpus, _blobs())
    began_with, calls = len(corpus), 0
    with fuzzed() as target:
        kinds = {target.answer(call) for call in corpus}
        ends = time.monotonic() + arguments.seconds
        while time.monotonic() < ends:
            call = maker.make()
            calls += 1
            INPUT.write_text(str(call))
            kind = target.answer(call)
            if kind not in kinds:
                kinds.add(kind)
                corpus.append(call)
                _keep(arguments.keep, len(corpus), call, kind)
            if calls % CALLS_PER_CHECK == 0:
                target.check_serves()
            if calls % CALLS_PER_COLLECTION == 0:
                target.collect_garbage()
        target.check_serves()
        target.collect_garbage()
    INPUT.unlink(missing_ok=True)
    print(
        f"messages: {calls} calls, corpus of {began_with} files and {len(corpus) - began_with} "
        f"more, {len(kinds)} kinds of answers"
    )


def _keep(directory: Path | None, number: int, call: Call, kind: str) -> None:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{number:04}").write_text(f"{call}= {kind}\n")


def _blobs() -> list[bytes]:
    """Return small image files, and pixels of small images."""
    files = [path.read_bytes() for path in sorted((GOLDEN / "images").iterdir())]
    sizes = (0, 1, 12, 48, 64 * 64, 64 * 64 * 3, 64 * 64 * 3 // 2, 256 * 256)
    pixels = [bytes(range(256)) * (size // 256) + bytes(size % 256) for size in sizes]
    too_large = [bytes(LIMITS.image.max_bytes + 1), bytes(MAX_MESSAGE_BYTES)]
    return files + pixels + too_large


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
