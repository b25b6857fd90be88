"""A server of mosec: a worker of its own encoding for requests and responses."""

from __future__ import annotations

import os
import sys

from mosec import Server, Worker

from tests.bench.peers.answers import answers
from tests.bench.peers.request import PeerRequest, frame
from tests.reference.ports import free_port

PROCESSES = os.cpu_count() or 1


class Poses(Worker):
    resp_mime_type = "application/octet-stream"

    def __init__(self) -> None:
        super().__init__()
        self._answer = answers(processes=PROCESSES)

    def deserialize(self, data: bytes) -> bytes:
        return data

    def serialize(self, data: bytes) -> bytes:
        return data

    def forward(self, data: bytes) -> bytes:
        return self._answer(data)


def main() -> None:
    port = free_port()
    PeerRequest(f"127.0.0.1:{port}", "/inference", frame(), "application/octet-stream").announce()
    # The default timeout is 3 s, which 16 callers of a network on a busy machine exceed.
    timeout_millis = "60000"
    sys.argv[1:] = ["--address", "127.0.0.1", "--port", str(port), "--timeout", timeout_millis]
    server = Server()
    server.append_worker(Poses, num=PROCESSES)
    server.run()


if __name__ == "__main__":
    main()
