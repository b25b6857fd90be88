"""One request for a file, and what servers answer to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from posewire_server.models.catalog_entry import RemoteFile
from posewire_server.models.errors import FetchError, TransferError, WrongFileError
from posewire_server.models.fetch.partial_file import PartialFile

# Called with the file and how many bytes of it are here.
Progress = Callable[[RemoteFile, int], None]

_MIRROR_ADVICE = "check the address, or name a mirror by --mirror or POSEWIRE_MIRROR"
_NETWORK_ADVICE = (
    "check the network and HTTPS_PROXY, or name a mirror by --mirror or POSEWIRE_MIRROR"
)
_AGAIN_ADVICE = "run it again to go on from there"
# Timeout, too early, too many requests and all that a server says when it is not well.
_STATUS_TO_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Gets the bytes of `file` that `partial` lacks from `address`."""

    client: httpx.Client
    address: str
    file: RemoteFile
    partial: PartialFile
    progress: Progress

    def run(self) -> None:
        """Asks once.

        Raises `TransferError` where asking again may help, with what came kept in `partial`;
        `WrongFileError` for another file; `FetchError` where the address is of no use.
        """
        try:
            with self.client.stream("GET", self.address, headers=self._headers()) as response:
                self._check_status(response)
                self._check_encoding(response)
                self._check_sizes(response)
                if response.status_code == httpx.codes.OK:
                    self.partial.begin(address=self.address, version=_version(response))
                self._receive(response)
        except httpx.TooManyRedirects:
            raise FetchError(
                f"{self.address}: got {self.client.max_redirects} redirects and no file; "
                f"{_MIRROR_ADVICE}"
            ) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise FetchError(f"{self.address}: {error}; {_MIRROR_ADVICE}") from error
        except httpx.HTTPError as error:
            where = self._where(error.request.url)
            raise TransferError(f"{where}: {self._described(error)}") from error

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self.partial.size:
            headers["Range"] = f"bytes={self.partial.size}-"
            version = self.partial.version_at(self.address)
            if version is not None:
                headers["If-Range"] = version
        return headers

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._refuse_range(response)
        if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            return
        got = f"{self._where(response.url)}: got status {status} {response.reason_phrase}".rstrip()
        wanted = f"want {self.file.size} bytes"
        if status in _STATUS_TO_TRY_AGAIN:
            raise TransferError(f"{got}, {wanted}; try again later, or {_MIRROR_ADVICE}")
        raise FetchError(f"{got}, {wanted}; {_MIRROR_ADVICE}")

    def _refuse_range(self, response: httpx.Response) -> None:
        total = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
        if total:
            self._check_size(int(total[1]), response)
        have = self.partial.size
        self.partial.discard()
        raise TransferError(
            f"{self.address}: the server has nothing beyond byte {have}, "
            f"want {self.file.size} bytes; run it again to start anew"
        )

    def _check_encoding(self, response: httpx.Response) -> None:
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise FetchError(
                f"{self.address}: came encoded as {encoding}, want the bytes as they are; "
                f"{_MIRROR_ADVICE}"
            )

    def _check_sizes(self, response: httpx.Response) -> None:
        """Before a byte is read, of what the server says it will send."""
        if response.status_code == httpx.codes.OK:
            length = response.headers.get("Content-Length", "")
            if length.isdecimal():
                self._check_size(int(length), response)
            return
        span = response.headers.get("Content-Range", "")
        parts = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", span)
        if parts and parts[2] != "*":
            self._check_size(int(parts[2]), response)
        have = self.partial.size
        if not parts or int(parts[1]) != have:
            self.partial.discard()
            raise TransferError(
                f"{self.address}: got the range {span!r}, want it from byte {have}; "
                "run it again to start anew"
            )

    def _check_size(self, size: int, response: httpx.Response) -> None:
        if size == self.file.size:
            return
        if response.headers.get("Content-Type", "").startswith("text/html"):
            self._refuse_page()
        raise WrongFileError(
            f"{self.address}: the file there has {size} bytes, want {self.file.size}; "
            f"{_MIRROR_ADVICE}"
        )

    def _receive(self, response: httpx.Response) -> None:
        have = self.partial.size
        self.progress(self.file, have)
        with self.partial.opened() as out:
            # In the chunks that come: with a size of ours, a cut would cost what is gathered.
            for chunk in response.iter_raw():
                if have == 0 and _begins_a_page(chunk):
                    self._refuse_page()
                have += len(chunk)
                if have > self.file.size:
                    raise WrongFileError(
                        f"{self.address}: got more than the {self.file.size} bytes wanted; "
                        f"{_MIRROR_ADVICE}"
                    )
                out.write(chunk)
                # Whatever ends this process, what has come need not come again.
                out.flush()
                self.progress(self.file, have)
        if have < self.file.size:
            raise TransferError(f"{self.address}: ended {self._after()}; {_AGAIN_ADVICE}")

    def _refuse_page(self) -> None:
        raise WrongFileError(
            f"{self.address}: got an HTML page, want a file of {self.file.size} bytes; "
            f"log in where your network asks for it, {_MIRROR_ADVICE}"
        )

    def _described(self, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection in {self.client.timeout.connect:g} s; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.ProxyError):
            return f"the proxy refuses: {error}; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.ConnectError):
            return f"no connection: {error}; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.TimeoutException):
            return (
                f"nothing came for {self.client.timeout.read:g} s {self._after()}; {_AGAIN_ADVICE}"
            )
        return f"the transfer broke off {self._after()} ({error}); {_AGAIN_ADVICE}"

    def _where(self, url: httpx.URL) -> str:
        """The address, and where it led, without the query, in which signatures may be."""
        if str(url) == self.address:
            return self.address
        return f"{self.address} (moved to {url.copy_with(query=None)})"

    def _after(self) -> str:
        return f"after {self.partial.size} of {self.file.size} bytes"


def _version(response: httpx.Response) -> str | None:
    """What If-Range takes: a strong ETag, else a date."""
    tag: str | None = response.headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    date: str | None = response.headers.get("Last-Modified")
    return date


def _begins_a_page(content: bytes) -> bool:
    return content.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))
