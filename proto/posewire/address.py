"""Addresses of servers, read strictly.

gRPC reads them leniently: 127.0.0.1 without a port is port 443 to it, and port 70000 is 4464.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import NoReturn

WANTED = "HOST:PORT, [IPV6]:PORT or unix:PATH"

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_MAX_NAME = 253
# Resolvers read such names as IPv4 addresses: 127.1, 0x7f000001, 2130706433.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
_PORT = re.compile("0|[1-9][0-9]{0,4}")
_MAX_PORT = 65535
# In others, gRPC would decode escapes or look for a query.
_SOCKET_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/-]+")
_MAX_SOCKET_PATH = 107  # bytes, of sockaddr_un on Linux


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port, or the path of a Unix domain socket; the other is empty.

    An IPv6 `host` is without brackets.
    """

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, *, want: str = WANTED) -> Address:
    """Read HOST:PORT, [IPV6]:PORT or unix:PATH; host names are not looked up.

    Raises `ValueError` that names what came and, with `want`, what was wanted.
    """
    if not text:
        _refuse(text, "", want)
    if any(char.isspace() or not char.isprintable() for char in text):
        _refuse(text, "with a blank or a control character", want)
    if text.startswith("unix:"):
        return Address(path=_socket_path(text, want))
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(host):
            _refuse(text, "with a bad IPv6 address", want)
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
        if "://" in text:
            _refuse(text, f"with the scheme {text.partition('://')[0]!r}", want)
        if rest.count(":") > 1:
            _refuse(text, "with several colons: an IPv6 address needs brackets", want)
        if not _is_host(host):
            _refuse(text, f"with the bad host {host!r}" if host else "without a host", want)
    if not rest:
        _refuse(text, "without a port", want)
    port = rest[1:]
    if not rest.startswith(":") or not _PORT.fullmatch(port) or int(port) > _MAX_PORT:
        _refuse(text, f"with the bad port {port!r}, which is not from 0 to {_MAX_PORT}", want)
    return Address(host, int(port))


def _is_host(text: str) -> bool:
    if _ENDS_IN_NUMBER.fullmatch(text):
        return _is_ipv4(text)
    return len(text) <= _MAX_NAME and _NAME.fullmatch(text) is not None


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _socket_path(text: str, want: str) -> str:
    path = text.removeprefix("unix:")
    if path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            _refuse(text, "with a relative path after unix://", want)
    if not path:
        _refuse(text, "without a path", want)
    if not _SOCKET_PATH.fullmatch(path):
        _refuse(text, "with characters in the path that gRPC cannot read", want)
    if len(path) > _MAX_SOCKET_PATH:
        _refuse(text, f"with a path of more than {_MAX_SOCKET_PATH} bytes", want)
    return path


def _refuse(text: str, fault: str, want: str) -> NoReturn:
    raise ValueError(f"got {text!r}{' ' if fault else ''}{fault}, want {want}")
