"""A few compressed bytes that become very many fields, and a config that stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import grpc
import pytest

from posewire_server.serving.service import SERVICE
from tests.reference.stub_server import stub_server

TIMEOUT = 60
CALLS = 4
SWITCHES = b"\x12\x00\x0a\x00" * (4 << 20)  # config and frame in turn: 16 kB compressed
UNKNOWN = b"\x82\x7d" + b"\x80\x80\x80\x0c" + bytes(24 << 20)  # field 2000, with 24 MiB
CONFIG = b"\x0a" + b"\x86\x80\x80\x0c" + UNKNOWN


@pytest.mark.parametrize("first", [SWITCHES, CONFIG], ids=["fields", "config"])
def test_idle_streams_hold_little_of_their_first_message(
    first: bytes, report: Callable[[str], None]
) -> None:
    ended = Event()

    def requests() -> Iterator[bytes]:
        yield first
        ended.wait(TIMEOUT)

    with (
        stub_server() as server,
        grpc.insecure_channel(server.address, [("grpc.max_send_message_length", -1)]) as channel,
    ):
        before = server.resident_bytes
        stream = channel.stream_stream(f"/{SERVICE}/StreamPoses", None, None)
        compression = grpc.Compression.Gzip
        calls = [stream(requests(), timeout=TIMEOUT, compression=compression) for _ in range(CALLS)]
        codes = {each.code() for each in calls}
        ended.set()
        growth = server.peak_resident_bytes - before
    report(f"{CALLS} messages of {len(first) / 2**20:.0f} MiB: + {growth / 2**20:.0f} MiB at most")
    assert codes == {grpc.StatusCode.INVALID_ARGUMENT}
    assert growth < 3 * CALLS * len(first)
