from __future__ import annotations

import asyncio
import logging

import pytest
from grpc._cython import cygrpc

from posewire_server.serving.transport.grpc_server import transport_server

ENDED = 'Failed "execute_batch": (<grpc._cython.cygrpc.SendMessageOperation object at 0x7f>,)'


@pytest.mark.parametrize(
    ("message", "error", "is_logged"),
    [
        ("ExecuteBatchError raised in core by", cygrpc.ExecuteBatchError(ENDED), False),
        (
            "ExecuteBatchError raised in core by",
            cygrpc.ExecuteBatchError("Failed grpc_call_start_batch: 8"),
            True,
        ),
        ("Invalid encoding on %s", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), False),
        ("Unexpected error", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), True),
        ("Unexpected error", RuntimeError("a defect"), True),
    ],
)
def test_only_faults_of_clients_are_not_logged(
    caplog: pytest.LogCaptureFixture, message: str, error: Exception, is_logged: bool
) -> None:
    async def make_server() -> None:
        for _ in range(2):
            await transport_server(options=[], max_calls=1).stop(None)

    asyncio.run(make_server())
    try:
        raise error
    except Exception:
        logging.getLogger("grpc._cython.cygrpc").exception(message.replace("%s", "x"))
    assert bool(caplog.records) == is_logged
