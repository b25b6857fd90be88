"""Free addresses to listen on."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TypeAlias

from posewire.address import Address, parse_address
from posewire_server.serving.errors import ListenError

_Place: TypeAlias = tuple[socket.AddressFamily, str]

# A port that is free in one family may be taken in another.
_ATTEMPTS = 20
_NOT_OF_THIS_MACHINE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen_address(text: str) -> Address:
    """Parse an address. Raises `ListenError` for one that is not an address."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise ListenError(f"address: {error}") from error


def is_of_this_machine(address: Address) -> bool:
    """Whether only programs of this machine can reach the address."""
    if address.path or address.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:  # a host name, whose addresses may change
        return False


async def check_is_free(address: Address) -> Address:
    """Raise `ListenError` if another program listens on this address.

    gRPC would replace the Unix socket of another program. Of a host with several addresses, such as
    localhost, it listens on those that are free, and callers would reach one program or the other.
    So port 0 of such a host is replaced by a port that is free at all of them.
    """
    if address.path:
        await _check_socket_is_free(address)
        return address
    places = _places(address)
    if address.port == 0 and len(places) == 1:
        return address
    return Address(address.host, _find_port(address, places))


async def reserve(address: Address) -> tuple[Address, list[socket.socket]]:
    """Reserve an address that several processes of this user are to share.

    Returns it, with a free port for port 0, and the sockets that keep it: they do not listen, and
    others can with SO_REUSEPORT. Raises `ListenError`.
    """
    address = await check_is_free(address)
    sockets: list[socket.socket] = []
    try:
        for family, host in _places(address):
            if (kept := _reserve_place(family, host, address.port)) is not None:
                sockets.append(kept)
                address = Address(address.host, kept.getsockname()[1])
    except OSError as error:
        for each in sockets:
            each.close()
        raise _unusable(address, error) from error
    return address, sockets


def _reserve_place(family: socket.AddressFamily, host: str, port: int) -> socket.socket | None:
    """Return a socket bound there; None if this is no address of this machine."""
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        kept.bind((host, port))
    except OSError as error:
        kept.close()
        if error.errno in _NOT_OF_THIS_MACHINE:
            return None
        raise
    return kept


async def _check_socket_is_free(address: Address) -> None:
    try:
        _, writer = await asyncio.open_unix_connection(address.path)
    except OSError:
        return
    writer.close()
    raise ListenError(f"address {address}: another program listens there, want another path")


def _places(address: Address) -> list[_Place]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _unusable(address, error) from error
    places = [(family, str(place[0])) for family, _, _, _, place in found]
    if address.host == "localhost":  # gRPC does not look it up
        places += [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    return list(dict.fromkeys(places))


def _find_port(address: Address, places: list[_Place]) -> int:
    """Return the port, or for port 0 one that is free at all places."""
    attempts = 1 if address.port else _ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            return _bind_all(address.port, places)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or attempt == attempts:
                raise _unusable(address, error) from error
    raise AssertionError("the last attempt returns or raises")


def _bind_all(port: int, places: Iterable[_Place]) -> int:
    """Bind a socket at each place for a moment."""
    foreign: OSError | None = None
    is_bound = False
    with ExitStack() as stack:
        for family, host in places:
            try:
                probe = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((host, port))
            except OSError as error:
                if error.errno not in _NOT_OF_THIS_MACHINE:
                    raise
                foreign = error
            else:
                port, is_bound = probe.getsockname()[1], True
    if foreign is not None and not is_bound:
        raise foreign
    return port


def _unusable(address: Address, error: OSError) -> ListenError:
    return ListenError(
        f"address {address}: cannot listen there ({error.strerror}), want HOST:PORT of this "
        "machine that no other program listens on"
    )
