"""Sockets of this process, while other threads open and close some."""

from __future__ import annotations

import os
import socket

import pytest

from posewire_server.serving.workers import open_sockets
from posewire_server.serving.workers.open_sockets import listening_sockets


def test_files_that_are_no_longer_sockets_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, open(os.devnull) as other:
        closed = os.dup(other.fileno())
        os.close(closed)
        files = (closed, other.fileno(), listener.fileno())
        monkeypatch.setattr(open_sockets, "_socket_files", lambda: iter(files))
        assert listening_sockets(listener.getsockname()[1]) == [listener.fileno()]
