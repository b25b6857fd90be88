"""Bare echo over a gRPC stream of plain bytes: `python -m tests.reference.echo_server`.

Returns each message, or only its first bytes: with as many as a result has, the stream carries what
a stream of frames does, and nothing else is done to it.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager

import grpc

from posewire_server.serving.scheduling.allocator import keep_large_blocks
from tests.reference.server_process import ServerProcess, server_process

SERVICE, METHOD = "posewire.bench.Echo", "Echo"
ECHO = f"/{SERVICE}/{METHOD}"


def echo_server(*, answer_bytes: int) -> AbstractContextManager[ServerProcess]:
    """Its process ends with the block, however that ends."""
    return server_process(__name__, "--answer-bytes", str(answer_bytes))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answer-bytes", type=int, help="maximum size of an answer")
    limit: int | None = parser.parse_args().answer_bytes

    async def echo(
        messages: AsyncIterator[bytes], _: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        async for message in messages:
            yield message[:limit]

    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        METHOD: grpc.stream_stream_rpc_method_handler(echo)
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    keep_large_blocks()
    asyncio.run(main())
