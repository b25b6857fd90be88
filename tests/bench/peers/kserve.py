"""A server of KServe's SDK, called over gRPC with raw tensors."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model, ModelServer

from tests.bench.peers.answers import answers
from tests.bench.peers.request import SIDE, PeerRequest, frame
from tests.reference.ports import free_port

NAME = "poses"


class Poses(Model):
    def __init__(self) -> None:
        super().__init__(NAME)
        self._answer = answers()
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        poses = self._answer(payload.inputs[0].as_numpy().tobytes())
        output = InferOutput(NAME, [len(poses)], "UINT8")
        output.set_data_from_numpy(np.frombuffer(poses, np.uint8))
        return InferResponse(response_id=payload.id, model_name=NAME, infer_outputs=[output])


def main() -> None:
    grpc_port = free_port()
    pixels = InferInput("frame", [SIDE, SIDE, 3], "UINT8")
    pixels.set_data_from_numpy(np.frombuffer(frame(), np.uint8).reshape(SIDE, SIDE, 3))
    request = InferRequest(NAME, [pixels], request_id="1").to_grpc()
    PeerRequest(
        f"127.0.0.1:{grpc_port}",
        "/inference.GRPCInferenceService/ModelInfer",
        request.SerializeToString(),
    ).announce()
    server = ModelServer(http_port=free_port(), grpc_port=grpc_port, enable_latency_logging=False)
    # Otherwise it logs two lines for each request.
    for name in ("kserve", "kserve.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
    server.start([Poses()])


if __name__ == "__main__":
    main()
