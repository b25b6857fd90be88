"""A deployment of Ray Serve that answers the unary calls of posewire's contract.

`app` builds it from the arguments of a Serve config file; deploy/ray/serve.yaml is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypedDict, TypeVar

import grpc
from ray import serve
from ray.serve.grpc_util import RayServegRPCContext, gRPCInputStream

from posewire.v1.pose_service_pb2 import (
    EstimatePosesRequest,
    EstimatePosesResponse,
    GetModelRequest,
    GetModelResponse,
    ListModelsRequest,
    ListModelsResponse,
    StreamPosesResponse,
)
from posewire_ray.answers import Answers
from posewire_ray.threads import bound_threads
from posewire_server.errors import RequestError
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.serving.errors import ModelNotFoundError
from posewire_server.serving.messages.status import as_request_error, status_of

Answer = TypeVar("Answer")


class AnswerError(Exception):
    """The error of a call, with its code; unlike those of the server, it can be pickled."""


class PoseService:
    """One model in a replica, which answers EstimatePoses, GetModel and ListModels by these names.

    `model`: name of a model that is installed on each node, or path of an .xml or .onnx file.
    `threads`: of the network; without it, as many as the replica has processors (`num_cpus`).
    There are no streams: Ray Serve cannot end one as the contract wants. Errors have their code and
    message, without the details: Ray Serve drops these.
    """

    def __init__(self, model: str, *, threads: int | None = None, cache: str | None = None) -> None:
        self._answers = Answers(
            model,
            RunnerOptions(inference_num_threads=bound_threads(threads)),
            cache=None if cache is None else Path(cache),
        )
        self._model = self._answers.model
        self._model.warm_up()

    async def EstimatePoses(
        self, request: EstimatePosesRequest, grpc_context: RayServegRPCContext | None = None
    ) -> EstimatePosesResponse:
        def estimate() -> EstimatePosesResponse:
            self._check_model(request.model)
            result = self._answers.result(request.image, request.options)
            response = EstimatePosesResponse.FromString(result)
            response.model = self._model.name
            return response

        return await _answer(estimate, grpc_context)

    async def GetModel(
        self, request: GetModelRequest, grpc_context: RayServegRPCContext | None = None
    ) -> GetModelResponse:
        def describe() -> GetModelResponse:
            self._check_model(request.model)
            return GetModelResponse(model=self._model.to_proto())

        return await _answer(describe, grpc_context)

    async def ListModels(self, request: ListModelsRequest) -> ListModelsResponse:
        model = self._model.to_proto()
        return ListModelsResponse(models=[model], default_model=model.name)

    async def StreamPoses(
        self, requests: gRPCInputStream, grpc_context: RayServegRPCContext
    ) -> AsyncIterator[StreamPosesResponse]:
        grpc_context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        grpc_context.set_details("got a stream in Ray Serve, want one to posewire serve")
        raise AnswerError("UNIMPLEMENTED: StreamPoses")
        yield  # makes this a generator, as Ray Serve wants

    def _check_model(self, name: str) -> None:
        if name not in ("", self._model.name):
            raise ModelNotFoundError(name, served=(self._model.name,))


class Arguments(TypedDict, total=False):
    """The `args` of the Serve config file: those of `PoseService`."""

    model: str
    threads: int
    cache: str


def app(arguments: Arguments) -> serve.Application:
    """Build the application from the arguments of a Serve config file."""
    deployment: serve.Deployment = serve.deployment(PoseService)
    return deployment.bind(**arguments)


async def _answer(work: Callable[[], Answer], context: RayServegRPCContext | None) -> Answer:
    """Run `work` in a thread; an error becomes the status of the call, as the server sends it."""
    try:
        return await asyncio.to_thread(work)
    except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
        raise _as_answer(as_request_error(error), context) from None


def _as_answer(error: RequestError, context: RayServegRPCContext | None) -> AnswerError:
    status = status_of(error)
    if context is not None:
        context.set_code(grpc.StatusCode[error.code])
        context.set_details(status.message)
    return AnswerError(f"{error.code}: {status.message}")
