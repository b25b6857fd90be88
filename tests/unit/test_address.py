from __future__ import annotations

import re

import pytest

from posewire.address import Address, parse_address

GOOD = {
    "127.0.0.1:50051": Address("127.0.0.1", 50051),
    "0.0.0.0:0": Address("0.0.0.0", 0),
    "localhost:65535": Address("localhost", 65535),
    "pose_server.svc.cluster.local.:1": Address("pose_server.svc.cluster.local.", 1),
    "xn--bcher-kva.example:443": Address("xn--bcher-kva.example", 443),
    "[::]:0": Address("::", 0),
    "[fe80::1%eth0]:50051": Address("fe80::1%eth0", 50051),
    "unix:run/posewire.sock": Address(path="run/posewire.sock"),
    "unix:///run/posewire.sock": Address(path="/run/posewire.sock"),
}
BAD = {
    "": "got ''",
    "127.0.0.1": "without a port",
    "localhost": "without a port",
    "[::1]": "without a port",
    "localhost:": "the bad port ''",
    ":50051": "without a host",
    "127.0.0.1:70000": "the bad port '70000', which is not from 0 to 65535",
    "127.0.0.1:99999": "the bad port '99999'",
    "127.0.0.1:123456789012345678901234567890": "the bad port",
    "localhost:-1": "the bad port '-1'",
    "localhost:+1": "the bad port '+1'",
    "localhost:080": "the bad port '080'",
    "localhost:http": "the bad port 'http'",
    "localhost:\N{SUPERSCRIPT TWO}": "the bad port",
    "localhost:\N{ARABIC-INDIC DIGIT FIVE}": "the bad port",
    "local host:1": "a blank",
    " localhost:1": "a blank",
    "localhost:1\n": "a blank or a control character",
    "localhost:1\0": "a control character",
    "*:1": "the bad host '*'",
    "-x:1": "the bad host '-x'",
    "bücher.example:1": "the bad host",
    "a..b:1": "the bad host 'a..b'",
    f"{'a.' * 127}a:1": "the bad host",
    "127.1:1": "the bad host '127.1'",
    "256.0.0.1:1": "the bad host '256.0.0.1'",
    "1.2.3.4.5:1": "the bad host",
    "0x7f000001:1": "the bad host '0x7f000001'",
    "::1": "an IPv6 address needs brackets",
    "::1:50051": "an IPv6 address needs brackets",
    "[::1:50051": "a bad IPv6 address",
    "[::g]:50051": "a bad IPv6 address",
    "[1::2::3]:50051": "a bad IPv6 address",
    "[127.0.0.1]:50051": "a bad IPv6 address",
    "[]:50051": "a bad IPv6 address",
    "[::1]50051": "the bad port",
    "http://localhost:50051": "the scheme 'http'",
    "unix:": "without a path",
    "unix://": "a relative path after unix://",
    "unix://run/x": "a relative path after unix://",
    "unix:/run/a b": "a blank",
    "unix:/run/a%62": "characters in the path",
    "unix:/run/a?b": "characters in the path",
    f"unix:/{'x' * 107}": "a path of more than 107 bytes",
}


@pytest.mark.parametrize("text", GOOD)
def test_an_address_means_what_it_says(text: str) -> None:
    address = parse_address(text)
    assert address == GOOD[text]
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", BAD)
def test_an_address_that_is_not_one_is_named_with_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(BAD[text])) as caught:
        parse_address(text)
    assert str(caught.value).startswith(f"got {text!r}")
    assert str(caught.value).endswith(", want HOST:PORT, [IPV6]:PORT or unix:PATH")
