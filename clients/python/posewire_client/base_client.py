"""The base class of Client and AsyncClient: their channel and the settings of their calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from posewire.v1 import stream_pb2
from posewire_client.backoff import Attempts, Backoff, checked_retry_time, checked_timeout
from posewire_client.channel import ChannelOptions
from posewire_client.errors import ClientClosedError
from posewire_client.session import StreamSession
from posewire_client.tls import Tls

ChannelType = TypeVar("ChannelType")
StubType = TypeVar("StubType")


class BaseClient(ABC, Generic[ChannelType, StubType]):
    """Everything about a client that does not depend on how it waits."""

    def __init__(
        self,
        target: str | None = None,
        *,
        tls: Tls | None = None,
        channel: ChannelType | None = None,
        channel_options: ChannelOptions = (),
        timeout_secs: float = 30.0,
        retry_for_secs: float | None = 30.0,
    ) -> None:
        self._timeout_secs = checked_timeout(timeout_secs)
        self._retry_for_secs = checked_retry_time(retry_for_secs)
        if target is not None and channel is None:
            self._channel = self._make_channel(target, tls, channel_options)
        elif channel is not None and target is None:
            self._channel = channel
        else:
            raise ValueError(f"target is {target!r}, channel is {channel!r}; give one of the two")
        self._owns_channel = channel is None
        self._stub = self._make_stub(self._channel)
        self._is_closed = False

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

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClientClosedError("the client is closed; create a new one")
