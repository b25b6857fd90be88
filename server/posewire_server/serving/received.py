"""Receives the messages of a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from posewire_server.serving.errors import MalformedMessageError

Request = TypeVar("Request", bound=Message)


@dataclass(frozen=True, slots=True)
class Received(Generic[Request]):
    """A message and its size in bytes, decompressed; `parsed` is None if parsing failed."""

    parsed: Request | None
    size: int

    @property
    def message(self) -> Request:
        """The message. Raises `MalformedMessageError` if the bytes could not be parsed."""
        if self.parsed is None:
            raise MalformedMessageError(f"{self.size} bytes that are not one")
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

    def deserialize(data: bytes) -> Received[Request]:
        try:
            return Received(kind.FromString(data), len(data))
        except DecodeError:
            return Received(None, len(data))

    return deserialize
