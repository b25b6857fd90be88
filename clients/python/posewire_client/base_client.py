"""The base class of Client and AsyncClient: their channel and the settings of their calls."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Generic, TypeVar
from weakref import WeakSet

from posewire.v1 import stream_pb2
from posewire_client.backoff import Attempts, Backoff, checked_retry_time, checked_timeout
from posewire_client.channel import ChannelOptions
from posewire_client.errors import ClientClosedError
from posewire_client.session import StreamSession
from posewire_client.skeleton_cache import SkeletonCache
from posewire_client.target import check_target
from posewire_client.tls import Tls
from posewire_client.token import token_metadata
from posewire_client.waiting import CallWait, OnWait, WaitReporter

ChannelType = TypeVar("ChannelType")
StubType = TypeVar("StubType")
StreamType = TypeVar("StreamType")
EventType = TypeVar("EventType", threading.Event, asyncio.Event)


class BaseClient(ABC, Generic[ChannelType, StubType, StreamType, EventType]):
    """Everything about a client that does not depend on how it waits."""

    def __init__(
        self,
        target: str | None = None,
        *,
        tls: Tls | None = None,
        token: str | None = None,
        allow_token_without_tls: bool = False,
        channel: ChannelType | None = None,
        channel_options: ChannelOptions = (),
        timeout_secs: float = 30.0,
        retry_for_secs: float | None = 30.0,
        on_wait: OnWait | None = None,
    ) -> None:
        self._timeout_secs = checked_timeout(timeout_secs)
        self._retry_for_secs = checked_retry_time(retry_for_secs)
        # Of every call.
        self._metadata: tuple[tuple[str, str], ...] = ()
        if token is not None:
            if channel is not None:
                raise ValueError("token: not with a channel; give the channel call credentials")
            may_send = tls is not None or allow_token_without_tls
            self._metadata = token_metadata(token, may_send=may_send)
        if target is not None and channel is None:
            _check_target(target)
            self._channel = self._make_channel(target, tls, channel_options)
        elif channel is not None and target is None:
            self._channel = channel
        else:
            raise ValueError(f"target is {target!r}, channel is {channel!r}; give one of the two")
        self._owns_channel = channel is None
        self._waits = WaitReporter(target or "the other end of the channel", on_wait)
        self._stub = self._make_stub(self._channel)
        self._closed: EventType = self._make_event()
        self._streams: WeakSet[StreamType] = WeakSet()  # to abort when the client is closed
        self._streams_lock = threading.Lock()
        self._skeletons = SkeletonCache()

    @staticmethod
    @abstractmethod
    def _make_event() -> EventType: ...

    @staticmethod
    @abstractmethod
    def _make_channel(target: str, tls: Tls | None, options: ChannelOptions) -> ChannelType: ...

    @staticmethod
    @abstractmethod
    def _make_stub(channel: ChannelType) -> StubType: ...

    def _begin_call(self, timeout_secs: float | None) -> Attempts:
        self._check_open()
        if timeout_secs is None:
            timeout_secs = self._timeout_secs
        return Attempts(Backoff(self._retry_for_secs), timeout_secs=timeout_secs)

    def _begin_stream(
        self, config: stream_pb2.StreamConfig, timeout_secs: float | None
    ) -> StreamSession:
        self._check_open()
        if timeout_secs is None:
            timeout_secs = self._timeout_secs
        return StreamSession(config, Backoff(self._retry_for_secs), timeout_secs=timeout_secs)

    def _begin_wait(self) -> CallWait:
        return CallWait(self._waits)

    def _track(self, stream: StreamType) -> StreamType:
        with self._streams_lock:
            self._streams.add(stream)
        return stream

    def _tracked_streams(self) -> tuple[StreamType, ...]:
        with self._streams_lock:
            return tuple(self._streams)

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ClientClosedError("the client is closed; create a new one")


def _check_target(target: str) -> None:
    try:
        check_target(target)
    except ValueError as error:
        raise ValueError(f"target: {error}") from None
