"""One request for a file, and the checks of its response."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from posewire_server.models.catalog_entry import RemoteFile
from posewire_server.models.errors import FetchError, TransferError, WrongFileError

_PAGE_START = re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE)

# Called with the file and the number of its bytes received.
Progress = Callable[[RemoteFile, int], None]

_MIRROR_ADVICE = "check the address, or name a mirror by --mirror or POSEWIRE_MIRROR"
_NETWORK_ADVICE = (
    "check the network and HTTPS_PROXY, or name a mirror by --mirror or POSEWIRE_MIRROR"
)
_RESUME_ADVICE = "run it again to resume"
# Request timeout, too early, too many requests, and errors of servers and gateways.
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Gets from `address` the bytes of `file` that are not in `part` yet."""

    client: httpx.Client
    address: str
    file: RemoteFile
    part: Path
    progress: Progress

    @property
    def received(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def run(self) -> bool:
        """Send one request; return whether its bytes were joined to earlier ones.

        Raises `TransferError` where a retry may help, with the received bytes kept in `part`;
        `WrongFileError` for another file, without keeping it; `FetchError` for a bad address.
        """
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        try:
            with self.client.stream("GET", self.address, headers=headers) as response:
                self._check_status(response)
                self._check_encoding(response)
                start = self._check_sizes(response)
                self._receive(response, start)
                return start > 0
        except WrongFileError:
            self.part.unlink(missing_ok=True)
            raise
        except httpx.TooManyRedirects:
            raise FetchError(
                f"{self.address}: got {self.client.max_redirects} redirects and no file; "
                f"{_MIRROR_ADVICE}"
            ) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise FetchError(f"{self.address}: {error}; {_MIRROR_ADVICE}") from error
        except httpx.HTTPError as error:
            place = self._describe_place(error.request.url)
            raise TransferError(f"{place}: {self._describe(error)}") from error

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._refuse_range(response)
        if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            return
        place = self._describe_place(response.url)
        got = f"{place}: got status {status} {response.reason_phrase}".rstrip()
        wanted = f"want {self.file.size} bytes"
        if status in _TRANSIENT:
            raise TransferError(f"{got}, {wanted}; try again later, or {_MIRROR_ADVICE}")
        raise FetchError(f"{got}, {wanted}; {_MIRROR_ADVICE}")

    def _refuse_range(self, response: httpx.Response) -> None:
        total = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
        if total:
            self._check_size(int(total[1]), response)
        self._start_over(f"the server has nothing after byte {self.received}")

    def _check_encoding(self, response: httpx.Response) -> None:
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise FetchError(
                f"{self.address}: got it encoded as {encoding}, want it unencoded; {_MIRROR_ADVICE}"
            )

    def _check_sizes(self, response: httpx.Response) -> int:
        """Check the announced size; return the position of the first byte in the file."""
        if response.status_code == httpx.codes.OK:
            length = response.headers.get("Content-Length", "")
            if length.isdecimal():
                self._check_size(int(length), response)
            return 0
        span = response.headers.get("Content-Range", "")
        parts = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", span)
        if parts and parts[2] != "*":
            self._check_size(int(parts[2]), response)
        if not parts or int(parts[1]) != self.received:
            self._start_over(f"got the range {span!r}, want it from byte {self.received}")
        return self.received

    def _check_size(self, size: int, response: httpx.Response) -> None:
        if size == self.file.size:
            return
        if response.headers.get("Content-Type", "").startswith("text/html"):
            self._refuse_page()
        raise WrongFileError(
            f"{self.address}: the file there has {size} bytes, want {self.file.size}; "
            f"{_MIRROR_ADVICE}"
        )

    def _receive(self, response: httpx.Response, start: int) -> None:
        received = start
        self.progress(self.file, received)
        with self.part.open("ab" if start else "wb") as part:
            # Chunks as they arrive: filling larger ones would lose bytes when a transfer is cut.
            for chunk in response.iter_raw():
                if received == 0 and chunk.lstrip()[:9].lower().startswith(
                    (b"<!doctype", b"<html")
                ):
                    self._refuse_page()
                received += len(chunk)
                if received > self.file.size:
                    raise WrongFileError(
                        f"{self.address}: got more than the {self.file.size} bytes wanted; "
                        f"{_MIRROR_ADVICE}"
                    )
                part.write(chunk)
                part.flush()  # The next run resumes here, even if this one is killed.
                self.progress(self.file, received)
        if received < self.file.size:
            raise TransferError(f"{self.address}: ended {self._after()}; {_RESUME_ADVICE}")

    def _refuse_page(self) -> None:
        raise WrongFileError(
            f"{self.address}: got an HTML page, want a file of {self.file.size} bytes; "
            f"log in if your network asks for it, {_MIRROR_ADVICE}"
        )

    def _start_over(self, reason: str) -> None:
        self.part.unlink(missing_ok=True)
        raise TransferError(
            f"{self.address}: {reason} of {self.file.size}; run it again to start over"
        )

    def _describe(self, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection in {self.client.timeout.connect:g} s; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.ProxyError):
            return f"the proxy refuses: {error}; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.ConnectError):
            return f"no connection: {error}; {_NETWORK_ADVICE}"
        if isinstance(error, httpx.TimeoutException):
            return (
                f"nothing received for {self.client.timeout.read:g} s {self._after()}; "
                f"{_RESUME_ADVICE}"
            )
        return f"the transfer was cut {self._after()} ({error}); {_RESUME_ADVICE}"

    def _describe_place(self, url: httpx.URL) -> str:
        """Name the address and where it redirects, without the query, which may be a signature."""
        if str(url) == self.address:
            return self.address
        return f"{self.address} (moved to {url.copy_with(query=None)})"

    def _after(self) -> str:
        return f"after {self.received} of {self.file.size} bytes"
