"""gRPC handlers that tell observers of their calls, for services that do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

from posewire_server.serving.call import Method, Observer, start_call

if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]


def observed(
    handlers: Mapping[str, Handler],
    methods: Mapping[str, Method],
    observers: Sequence[Observer],
) -> dict[str, Handler]:
    """Return handlers that do the same and make a `Call` of every call."""
    return {name: _observed(each, methods[name], observers) for name, each in handlers.items()}


def _observed(handler: Handler, method: Method, observers: Sequence[Observer]) -> Handler:
    answer: Any = handler.stream_stream or handler.stream_unary

    async def answer_once(requests: Any, context: Any) -> Any:
        with _observed_call(method, observers, context):
            return await answer(requests, context)

    async def answer_stream(requests: Any, context: Any) -> AsyncIterator[Any]:
        with _observed_call(method, observers, context):
            async with aclosing(answer(requests, context)) as responses:
                async for response in responses:
                    yield response

    form: Any = grpc.stream_unary_rpc_method_handler
    behaviour: Any = answer_once
    if handler.response_streaming:
        form, behaviour = grpc.stream_stream_rpc_method_handler, answer_stream
    replaced: Handler = form(behaviour, handler.request_deserializer, handler.response_serializer)
    return replaced


@contextmanager
def _observed_call(method: Method, observers: Sequence[Observer], context: Any) -> Iterator[None]:
    call = start_call(method, observers, context)
    context.set_trailing_metadata(call.trailing_metadata)
    try:
        yield
    except grpc.aio.AbortError:
        call.code = context.code().name
        raise
    except Exception:
        call.code = "UNKNOWN"  # gRPC's answer if a handler raises
        raise
    except BaseException:
        call.cancel()
        raise
    finally:
        call.end()
