from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

import pytest

from posewire_server.serving.access.authentication import Access, Identity, is_local
from posewire_server.serving.access.quotas import Quota
from posewire_server.serving.access.tokens import Token
from posewire_server.serving.errors import BusyError, UnauthenticatedError

PEER = "ipv4:203.0.113.9:1234"


def token(name: str, *secrets: str, **quota: float) -> Token:
    digests = tuple(hashlib.sha256(each.encode()).digest() for each in secrets)
    return Token(name, digests, Quota(**quota, source="tokens file"))


def identify(access: Access, *values: str | bytes) -> Identity:
    return access.identify([("user-agent", "test")] + [("authorization", v) for v in values], PEER)


def test_a_token_names_its_caller() -> None:
    access = Access([token("a", "one"), token("b", "two", "three")], streams=4)
    for header, name in [
        ("Bearer one", "a"),
        ("bearer two", "b"),
        ("BEARER three", "b"),
    ]:
        assert identify(access, header).account.name == name


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "TOKEN_MISSING"),
        (("Basic one",), "TOKEN_MISSING"),
        (("one",), "TOKEN_MISSING"),
        ((b"Bearer one",), "TOKEN_MISSING"),
        (("Bearer one", "Bearer one"), "TOKEN_MISSING"),
        (("Bearer ",), "TOKEN_UNKNOWN"),
        (("Bearer s3cret",), "TOKEN_UNKNOWN"),
        (("Bearer onex",), "TOKEN_UNKNOWN"),
    ],
)
def test_other_calls_are_refused_without_repeating_what_they_sent(
    values: tuple[str | bytes, ...], reason: str
) -> None:
    access = Access([token("a", "one")], streams=4)
    with pytest.raises(UnauthenticatedError) as caught:
        identify(access, *values)
    assert caught.value.reason == reason
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("secret", ["first", "last", "wrong"])
def test_every_digest_is_compared_whichever_matches(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access([token("a", "first"), token("b", "two"), token("c", "last")], streams=4)
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def compare_and_count(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_and_count)
    with suppress(UnauthenticatedError):
        identify(access, f"Bearer {secret}")
    assert len(compared) == 3


def test_a_digest_is_no_token() -> None:
    access = Access([token("a", "one")], streams=4)
    with pytest.raises(UnauthenticatedError):
        identify(access, f"Bearer {hashlib.sha256(b'one').hexdigest()}")


def test_another_file_keeps_the_streams_of_accounts_that_stay() -> None:
    access = Access([token("a", "one", max_streams=2), token("b", "two")], streams=4)
    a, b = identify(access, "Bearer one"), identify(access, "Bearer two")
    with a.account.stream():
        access.replace([token("a", "new", max_streams=1)])
        assert identify(access, "Bearer new").account is a.account
        with pytest.raises(BusyError), a.account.stream():
            pass
    assert not access.is_valid(a)
    assert not access.is_valid(b)
    assert access.is_valid(identify(access, "Bearer new"))
    with pytest.raises(UnauthenticatedError):
        identify(access, "Bearer two")


def test_hosts_are_limited_where_calls_need_no_token() -> None:
    access = Access(streams=8, streams_per_peer=1)
    host = access.identify([], "ipv4:203.0.113.9:1")
    with host.account.stream():
        same = access.identify([], "ipv4:203.0.113.9:2")
        with pytest.raises(BusyError, match="--max-streams-per-peer"), same.account.stream():
            pass
        with access.identify([], "ipv4:203.0.113.10:1").account.stream():
            pass
    assert access.is_valid(host)


def test_by_default_one_host_leaves_a_quarter_of_the_streams_to_others() -> None:
    access = Access(streams=8)
    for peer, limit in [(PEER, 6), ("ipv4:127.0.0.1:5", 8), ("unix:/run/posewire", 8)]:
        opened = []
        for _ in range(8):
            stream = access.identify([], peer).account.stream()
            try:
                stream.__enter__()
            except BusyError:
                break
            opened.append(stream)
        assert len(opened) == limit
        for stream in opened:
            stream.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("unix:", True),
        ("unix-abstract:posewire", True),
        ("ipv4:127.0.0.1:1", True),
        ("ipv6:[::1]:1", True),
        ("ipv6:%5B::1%5D:1", True),
        ("ipv4:10.127.0.1:1", False),
        ("ipv6:%5B2001:db8::1%5D:1", False),
        ("ipv6:%5B::1:2%5D:1", False),
    ],
)
def test_local_peers_are_those_of_this_machine(peer: str, expected: bool) -> None:
    assert is_local(peer) is expected
