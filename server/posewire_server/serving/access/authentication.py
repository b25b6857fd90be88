"""Access control: identifies callers by token, or by host if calls need none."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote
from weakref import WeakValueDictionary

from posewire_server.serving.access.caller import host_of
from posewire_server.serving.access.quotas import Account, Quota
from posewire_server.serving.access.tokens import Token
from posewire_server.serving.access.usage import Usage
from posewire_server.serving.errors import UnauthenticatedError

_HEADER = "authorization"
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Identity:
    """The account of a call, and the digest of its token."""

    account: Account
    digest: bytes = b""


class Access:
    """Identifies the callers of a server; belongs to one event loop.

    `tokens`: None if calls need none. `streams_per_peer`: the limit for each host without a token;
    None for three quarters of `streams`, which leaves some for other hosts, and for no limit on
    this machine, where a proxy may call for many clients. `usage`: what is used of the quotas, by
    default in this process alone.
    """

    def __init__(
        self,
        tokens: Sequence[Token] | None = None,
        *,
        streams: int,
        streams_per_peer: int | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._needs_token = tokens is not None
        self._streams = streams
        self._streams_per_peer = streams_per_peer
        self.usage = usage or Usage()
        # An account of a host lives as long as a call refers to it.
        self._hosts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._named: dict[str, Account] = {}
        self._by_digest: dict[bytes, Account] = {}
        self.replace(tokens or ())

    def replace(self, tokens: Iterable[Token]) -> None:
        """Apply a tokens file; accounts that stay keep what they use of their quotas."""
        before, self._named, self._by_digest = self._named, {}, {}
        for token in tokens:
            account = before.get(token.name) or Account.named(
                token.name, token.quota, usage=self.usage
            )
            account.change(token.quota)
            self._named[token.name] = account
            self._by_digest.update(dict.fromkeys(token.digests, account))

    def identify(self, metadata: Iterable[tuple[str, str | bytes]], peer: str) -> Identity:
        """Return the identity of a call. Raises `UnauthenticatedError`."""
        if not self._needs_token:
            return Identity(self._host_account(peer))
        digest = hashlib.sha256(_token_in(metadata)).digest()
        found: bytes | None = None
        for each in self._by_digest:  # all, so that the time does not depend on the token
            if hmac.compare_digest(each, digest):
                found = each
        if found is None:
            raise UnauthenticatedError(
                "token: got one that this server does not know; ask its operator for another",
                reason="TOKEN_UNKNOWN",
            )
        return Identity(self._by_digest[found], found)

    def is_valid(self, identity: Identity) -> bool:
        """Whether the identity's token is still in the tokens file."""
        return not self._needs_token or identity.digest in self._by_digest

    def _host_account(self, peer: str) -> Account:
        host = host_of(peer)
        account = self._hosts.get(host)
        if account is None:
            self._hosts[host] = account = Account(host, self._host_quota(peer), usage=self.usage)
        return account

    def _host_quota(self, peer: str) -> Quota:
        limit = self._streams_per_peer
        if limit is None and not is_local(peer):
            limit = max(1, 3 * self._streams // 4)
        return Quota(max_streams=limit, source="--max-streams-per-peer")


def is_local(peer: str) -> bool:
    """Whether a connection, given gRPC's name of its peer, comes from this machine."""
    return unquote(peer).startswith(("unix:", "unix-abstract:", "ipv4:127.", "ipv6:[::1]:"))


def _token_in(metadata: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Return the token of a call. Raises `UnauthenticatedError` unless there is exactly one."""
    values = [value for key, value in metadata if key == _HEADER]
    if not values:
        raise UnauthenticatedError(
            "token: got none, want the metadata 'authorization: Bearer TOKEN'",
            reason="TOKEN_MISSING",
        )
    value = values[0]
    if len(values) > 1 or not isinstance(value, str) or not value.lower().startswith(_SCHEME):
        raise UnauthenticatedError(
            "token: got other credentials, want the metadata 'authorization: Bearer TOKEN' once",
            reason="TOKEN_MISSING",
        )
    return value[len(_SCHEME) :].strip().encode()
