"""Triton with a model in Python, started by PyTriton and called over gRPC with raw tensors."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import numpy as np
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from tritonclient.grpc import service_pb2

from tests.bench.peers.answers import answers
from tests.bench.peers.request import SIDE, PeerRequest, frame
from tests.reference.ports import free_port

NAME = "poses"


class Poses:
    """Loads its model with the first request, in the process that serves it."""

    def __init__(self) -> None:
        self._answer: Any = None

    def __call__(self, requests: list[Any]) -> list[dict[str, Any]]:
        self._answer = self._answer or answers()
        poses = (self._answer(each["frame"].tobytes()) for each in requests)
        return [{NAME: np.frombuffer(each, np.uint8)} for each in poses]


def main() -> None:
    # PyTriton 0.7.0 embeds a Python 3.11 that is too old for the standard library of 3.11.7, where
    # its shared memory does not start. This makes it send tensors as Base64 instead.
    if (3, 11, 7) <= sys.version_info < (3, 12):
        os.environ["PYTRITON_NO_TENSORSTORE"] = "1"
    grpc_port, http_port, metrics_port = (free_port() for _ in range(3))
    request = service_pb2.ModelInferRequest(model_name=NAME, raw_input_contents=[frame()])
    request.inputs.add(name="frame", shape=[SIDE, SIDE, 3], datatype="UINT8")
    request.outputs.add(name=NAME)
    PeerRequest(
        f"127.0.0.1:{grpc_port}",
        "/inference.GRPCInferenceService/ModelInfer",
        request.SerializeToString(),
    ).announce()
    logging.basicConfig(level=logging.ERROR)
    config = TritonConfig(
        grpc_address="127.0.0.1",
        grpc_port=grpc_port,
        http_address="127.0.0.1",
        http_port=http_port,
        metrics_port=metrics_port,
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name=NAME,
            # One process. Others wait one second for the first, which a busy machine misses.
            infer_func=Poses(),
            inputs=[Tensor(name="frame", dtype=np.uint8, shape=(SIDE, SIDE, 3))],
            outputs=[Tensor(name=NAME, dtype=np.uint8, shape=(-1,))],
            config=ModelConfig(batching=False),
        )
        triton.serve()


if __name__ == "__main__":
    main()
