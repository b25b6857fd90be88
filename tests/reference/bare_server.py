"""What the libraries take alone: `python -m tests.reference.bare_server`.

Decodes the JPEG of a request in a thread and answers with poses that it has already. What a server
in Python does besides comes on top of this.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import cv2
import grpc
import numpy as np

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import (
    PoseServiceServicer,
    add_PoseServiceServicer_to_server,
)
from posewire_decoder import Origin, serialize_poses
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.skeleton import COCO
from tests.reference.stub_server import PEOPLE


class BareService(PoseServiceServicer):
    def __init__(self) -> None:
        shape = (PEOPLE, len(COCO.oks_sigmas))
        poses = serialize_poses(
            np.ones((*shape, 2), np.float32),
            np.ones(shape, np.float32),
            np.full(shape, Origin.DETECTED, np.uint8),
            np.ones(PEOPLE, np.float32),
        )
        self._answer = messages.EstimatePosesResponse.FromString(poses)
        self._threads = ThreadPoolExecutor(1)

    async def EstimatePoses(
        self,
        request: messages.EstimatePosesRequest,
        context: grpc.aio.ServicerContext[
            messages.EstimatePosesRequest, messages.EstimatePosesResponse
        ],
    ) -> messages.EstimatePosesResponse:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, _decode, request)
        return self._answer


def _decode(request: messages.EstimatePosesRequest) -> None:
    data = np.frombuffer(request.image.encoded.data, np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR) is not None


async def main() -> None:
    server = grpc.aio.server()
    add_PoseServiceServicer_to_server(BareService(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    keep_large_blocks()
    asyncio.run(main())
