"""TLS in front of a server: `python -m tests.clients.calls.tls_proxy HOST PORT FOLDER ...`.

It decrypts and forwards bytes. Each further argument, IDENTITY or IDENTITY:CLIENT, starts a
listener with the files of FOLDER/IDENTITY; with CLIENT it accepts only clients with the certificate
of FOLDER/CLIENT. It prints the ports in that order, as one line.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from functools import partial
from pathlib import Path

_CHUNK_BYTES = 1 << 16


async def main(host: str, port: str, folder: str, *identities: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)  # clients that refuse the server
    forward = partial(_forward, host, int(port))
    ports = []
    for each in identities:
        context = _context(Path(folder), *each.split(":"))
        server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        await server.start_serving()
    print(*ports, flush=True)
    await asyncio.Event().wait()


def _context(folder: Path, identity: str, client: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(folder / identity / "certificate.pem", folder / identity / "key.pem")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / client / "certificate.pem")
    return context


async def _forward(
    host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    onward_reader, onward_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes to the end, then close the other side."""
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:  # one of the two is gone; errors of TLS are such, too
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
