from __future__ import annotations

import pytest

from posewire_server.serving.access.caller import host_of


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:192.0.2.1:5000", "ipv4:192.0.2.1"),
        ("unix:/run/posewire.sock", "unix:"),
        ("unix:%2Ftmp%2Fmy:own", "unix:"),
        ("unix-abstract:one", "unix:"),
        ("unix-abstract:two%00:3", "unix:"),
        ("unix:", "unix:"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:5000", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2::1]:5000", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:3::1%5D:5000", "ipv6:2001:db8:1:3::/64"),
        ("ipv6:%5B::1%5D:5000", "ipv6:::/64"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:5000", "ipv4:192.0.2.1"),
        ("ipv6:%5B::ffff:c000:201%5D:5000", "ipv4:192.0.2.1"),
        ("ipv6:%5Bfe80::1:2%254%5D:5000", "ipv6:fe80::%4/64"),
        ("ipv6:%5Bfe80::3%25eth1%5D:5000", "ipv6:fe80::%eth1/64"),
        ("ipv6:%5Bnone%5D:5000", "ipv6:none"),
        ("", ":"),
    ],
)
def test_the_host_of_a_connection(peer: str, host: str) -> None:
    assert host_of(peer) == host
