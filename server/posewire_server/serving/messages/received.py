"""Receives the messages of a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from posewire_server.serving.errors import MalformedMessageError
from posewire_server.serving.messages.wire_fields import message_kind

# No request has repeated fields, so an honest one has far fewer. Each switch of a oneof costs the
# parser memory: four bytes of a message become more than a hundred.
_MAX_FIELDS = 256

Request = TypeVar("Request", bound=Message)


@dataclass(frozen=True, slots=True)
class Received(Generic[Request]):
    """A message and its size in bytes, decompressed; `parsed` is None if it was not parsed."""

    parsed: Request | None
    size: int

    @property
    def message(self) -> Request:
        """The message. Raises `MalformedMessageError` if the bytes could not be parsed."""
        if self.parsed is None:
            raise MalformedMessageError(
                f"{self.size} bytes that are not one, or that have more than {_MAX_FIELDS} fields"
            )
        return self.parsed


class Receiver(Generic[Request]):
    """The messages of a call, received one by one.

    gRPC's own iterator is part of a reference cycle that keeps the last message, image and all,
    until the garbage collector runs.
    """

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._context = context

    def __aiter__(self) -> Receiver[Request]:
        return self

    async def __anext__(self) -> Received[Request]:
        received: Any = await self._context.read()
        if received is grpc.aio.EOF:
            raise StopAsyncIteration
        message: Received[Request] = received
        return message


def deserializer(kind: type[Request]) -> Callable[[bytes], Received[Request]]:
    """Return a deserializer for gRPC that never raises."""
    fields = message_kind(cast(Descriptor, kind.DESCRIPTOR))

    def deserialize(data: bytes) -> Received[Request]:
        if not fields.has_at_most(_MAX_FIELDS, data):
            return Received(None, len(data))
        try:
            return Received(kind.FromString(data), len(data))
        except DecodeError:
            return Received(None, len(data))

    return deserialize
