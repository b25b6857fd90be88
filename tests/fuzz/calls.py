"""Calls of all services of a server: a method, and the messages that are sent to it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from posewire.v1 import pose_service_pb2
from posewire_server.serving.messages import orca
from tests.fuzz import wire
from tests.fuzz.messages import MessageMaker

STREAM_POSES = "/posewire.v1.PoseService/StreamPoses"
METHODS: dict[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method
    for file in (pose_service_pb2, health_pb2, reflection_pb2, orca)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
# PoseService's come up most.
_PATHS = (
    *METHODS,
    STREAM_POSES,
    STREAM_POSES,
    STREAM_POSES,
    "/posewire.v1.PoseService/EstimatePoses",
)
_FRAME = pose_service_pb2.StreamPosesRequest.DESCRIPTOR.fields_by_name["frame"].number
_MAX_MESSAGES = 40


@dataclass(frozen=True, slots=True)
class Call:
    """`cancels`: after the first response, or at once if there is none."""

    path: str
    messages: tuple[bytes, ...] = ()
    is_compressed: bool = False
    cancels: bool = False

    @classmethod
    def parse(cls, text: str) -> Call:
        """Parse what `str` returns, and ignore lines that begin otherwise."""
        first, *lines = text.splitlines()
        path, *words = first.split()
        messages = tuple(bytes.fromhex(line[1:]) for line in lines if line.startswith(">"))
        return cls(path, messages, "gzip" in words, "cancel" in words)

    def __str__(self) -> str:
        words = ["gzip"] * self.is_compressed + ["cancel"] * self.cancels
        lines = [" ".join([self.path, *words]), *(f"> {each.hex()}" for each in self.messages)]
        return "\n".join(lines) + "\n"


class CallMaker:
    """Makes calls like those of `corpus`, and others."""

    def __init__(
        self, chance: random.Random, corpus: Sequence[Call], blobs: Sequence[bytes]
    ) -> None:
        self._chance = chance
        self._corpus = corpus
        self._maker = MessageMaker(chance, blobs)

    def make(self) -> Call:
        chance = self._chance
        if not self._corpus or chance.random() < 0.2:
            call = self._new()
        else:
            call = chance.choice(self._corpus)
            for _ in range(chance.choice((1, 1, 1, 2, 4))):
                call = self._mutate(call)
        if call.path == STREAM_POSES and chance.random() < 0.7:
            call = replace(call, messages=_number_frames(call.messages))
        return replace(call, is_compressed=chance.random() < 0.1, cancels=chance.random() < 0.1)

    def _new(self) -> Call:
        path = self._chance.choice(_PATHS)
        count = self._chance.choice((0, 1, 1, 1, 2, 3, 12))
        kind = METHODS[path].input_type
        return Call(path, tuple(self._maker.make(kind) for _ in range(count)))

    def _mutate(self, call: Call) -> Call:
        chance, kind = self._chance, METHODS[call.path].input_type
        messages = list(call.messages)
        at = chance.randrange(len(messages) + 1)
        change = chance.randrange(8)
        if at == len(messages) or change == 0:
            messages.insert(at, self._maker.make(kind))
        elif change == 1:
            del messages[at]
        elif change == 2:
            messages[at:at] = [messages[at]] * chance.choice((1, 2, 20))
        elif change == 3:
            other = chance.choice(self._corpus).messages
            messages[at:] = other[chance.randrange(len(other) + 1) :]
        else:
            messages[at] = self._maker.mutate(messages[at], kind)
        return replace(call, messages=tuple(messages[:_MAX_MESSAGES]))


def _number_frames(messages: Sequence[bytes]) -> tuple[bytes, ...]:
    """Make the ids of frames increase: a field that is repeated is merged with the one before."""
    numbered = []
    for number, message in enumerate(messages, start=1):
        entries = wire.split(message)
        if entries and entries[-1].number == _FRAME:
            frame_id = wire.Entry(1, wire.VARINT, wire.varint(number)).encode()
            message += wire.Entry(_FRAME, wire.LENGTH, frame_id).encode()
        numbered.append(message)
    return tuple(numbered)
