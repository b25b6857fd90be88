"""A client with several callers, until SIGTERM: `python -m tests.mesh.client ADDRESS[,ADDRESS…]`.

With several addresses it chooses among the servers itself. Each caller prints a line for each
outcome, `outcome CALLER FRAME WIDTH HEIGHT PEOPLE`; `failed CALLER ERROR` if a call or a stream
ends with an error; and in the end `sent CALLER FRAMES`.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire_client import Client, Outcome, Result
from tests.mesh.record import size_of

_CONFIG = Path(__file__).parents[2] / "deploy/clients/round_robin.json"
# Those that docs/deployment.md recommends for clients that choose among servers.
_BALANCING: tuple[tuple[str, int | str], ...] = (
    ("grpc.service_config", _CONFIG.read_text()),
    ("grpc.keepalive_time_ms", 1_200),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
# Connecting to the other servers takes less after the first has answered.
_CONNECT_SECS = 0.5


class Caller:
    """Sends frames in one stream or in unary calls."""

    def __init__(
        self, name: str, client: Client, interval_secs: float, stopped: threading.Event
    ) -> None:
        self._name = name
        self._client = client
        self._interval_secs = interval_secs
        self._stopped = stopped
        self._sent = 0

    def stream(self) -> None:
        self._run(self._client.stream(self._frames()))

    def estimate(self) -> None:
        self._run(self._client.estimate(frame) for frame in self._frames())

    def _run(self, outcomes: Iterator[Outcome]) -> None:
        try:
            for number, outcome in enumerate(outcomes, 1):
                if not isinstance(outcome, Result):
                    _print("failed", self._name, outcome)
                    return
                frame = outcome.frame_id or number  # unary calls have no numbers
                size = (outcome.image_width, outcome.image_height)
                _print("outcome", self._name, frame, *size, len(outcome.poses))
        except Exception as error:  # noqa: BLE001 printed
            _print("failed", self._name, type(error).__name__, error)
        _print("sent", self._name, self._sent)

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        while not self._stopped.wait(self._interval_secs):
            self._sent += 1
            width, height = size_of(self._sent)
            yield np.full((height, width, 3), 7, np.uint8)


_PRINTING = threading.Lock()


def _print(*words: object) -> None:
    with _PRINTING:
        print(" ".join(str(word).replace("\n", " ") for word in words), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("addresses")
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--unary", type=int, required=True, help="callers of unary calls")
    parser.add_argument("--interval", type=float, required=True, help="seconds between frames")
    arguments = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    is_balancing = "," in arguments.addresses
    target = f"ipv4:{arguments.addresses}" if is_balancing else arguments.addresses
    options = _BALANCING if is_balancing else ()
    with Client(target, channel_options=options) as client:
        client.models()
        time.sleep(_CONNECT_SECS)
        threads = []
        for kind, count in (("stream", arguments.streams), ("unary", arguments.unary)):
            for number in range(count):
                caller = Caller(f"{kind}-{number}", client, arguments.interval, stopped)
                run = caller.stream if kind == "stream" else caller.estimate
                threads.append(threading.Thread(target=run))
        for thread in threads:
            thread.start()
            # One after another, so that each takes its turn of the servers.
            time.sleep(0.05)
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
