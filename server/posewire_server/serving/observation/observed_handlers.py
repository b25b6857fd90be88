"""Wraps gRPC handlers, to limit the calls of a host and to notify observers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

from posewire_server.serving.messages.live_calls import LiveCalls
from posewire_server.serving.observation.call import Method, Observer, start_call

if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]


def observe(
    handlers: Mapping[str, Handler],
    methods: Mapping[str, Method],
    observers: Sequence[Observer],
    live_calls: LiveCalls,
) -> dict[str, Handler]:
    """Return handlers that represent each call as a `Call` and reject a host's excess calls."""
    return {
        name: _observe(each, methods[name], observers, live_calls)
        for name, each in handlers.items()
    }


def _observe(
    handler: Handler, method: Method, observers: Sequence[Observer], live_calls: LiveCalls
) -> Handler:
    answer: Any = handler.stream_stream or handler.stream_unary

    async def answer_once(requests: Any, context: Any) -> Any:
        with _observe_call(method, observers, context):
            await live_calls.count(context)
            return await answer(requests, context)

    async def answer_stream(requests: Any, context: Any) -> AsyncIterator[Any]:
        with _observe_call(method, observers, context):
            await live_calls.count(context)
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
def _observe_call(method: Method, observers: Sequence[Observer], context: Any) -> Iterator[None]:
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
