"""Targets of gRPC channels, read strictly."""

from __future__ import annotations

import re
from typing import NoReturn

from posewire.address import WANTED, parse_address

_WANTED = f"{WANTED}, or a gRPC target such as dns:///HOST:PORT or xds:///NAME"
# gRPC reads these names, and takes other schemes for hosts.
_NAMED = re.compile(
    "(?:xds|google-c2p)://[!-.0-~]*/[!-.0-~][!-~]*|unix-abstract:[!-~]+|vsock:[0-9]+:[0-9]+"
)
_DNS = re.compile(r"dns:(?://[!-.0-~]*/)?(?P<address>[^/].*)", re.DOTALL)
_LISTED = re.compile(r"ipv[46]:(?P<addresses>.*)", re.DOTALL)


def check_target(target: str) -> None:
    """Raise `ValueError` unless gRPC would connect to what is written.

    A port is required, also in the targets dns:, ipv4: and ipv6:, where gRPC would take 443.
    """
    if _NAMED.fullmatch(target):
        return
    if (dns := _DNS.fullmatch(target)) is not None:
        _check_address(dns["address"], target)
    elif (listed := _LISTED.fullmatch(target)) is not None:
        for address in listed["addresses"].split(","):
            _check_address(address, target)
    else:
        _check_address(target, target)


def _check_address(text: str, target: str) -> None:
    if text != target and text.startswith("unix:"):
        _refuse(target, f"with the bad host {text!r}")
    address = parse_address(text, want=_WANTED)
    if not address.path and address.port == 0:
        _refuse(target, "with port 0")


def _refuse(target: str, fault: str) -> NoReturn:
    raise ValueError(f"got {target!r} {fault}, want {_WANTED}")
