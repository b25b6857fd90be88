"""Call the standard health check, grpc.health.v1.

Its two messages are read and written as others with the same encoding: a text, and a number, as
field 1. Another copy of its definition would collide with that of grpcio-health-checking.
"""

from __future__ import annotations

from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from posewire_client.channel import (
    AsyncChannel,
    BlockingChannel,
    CallError,
    error_from_call,
    response_of,
    translate_closed_channel,
)
from posewire_client.errors import (
    CallCancelledError,
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
)

_METHOD = "/grpc.health.v1.Health/Check"
_WHOLE_SERVER = StringValue()
_SERVING = 1

_NOT_READY = (
    CallCancelledError,
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
)


def is_serving(channel: BlockingChannel, *, timeout_secs: float) -> bool:
    """Return whether the server takes calls; raises StatusError if it cannot say."""
    method = channel.unary_unary(
        _METHOD,
        request_serializer=StringValue.SerializeToString,
        response_deserializer=Int32Value.FromString,
    )
    try:
        with translate_closed_channel():
            response = method(_WHOLE_SERVER, timeout=timeout_secs)
    except CallError as raised:
        return _refusal(raised)
    return bool(response.value == _SERVING)


async def is_serving_async(channel: AsyncChannel, *, timeout_secs: float) -> bool:
    """Return whether the server takes calls; raises StatusError if it cannot say."""
    method = channel.unary_unary(
        _METHOD,
        request_serializer=StringValue.SerializeToString,
        response_deserializer=Int32Value.FromString,
    )
    try:
        with translate_closed_channel():
            call = method(_WHOLE_SERVER, timeout=timeout_secs)
        response = await response_of(call)
    except CallError as raised:
        return _refusal(raised)
    return bool(response.value == _SERVING)


def _refusal(raised: CallError) -> bool:
    error = error_from_call(raised)
    if isinstance(error, _NOT_READY):
        return False
    raise error
