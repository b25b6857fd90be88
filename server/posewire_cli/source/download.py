"""Downloads images."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from http.client import HTTPException, HTTPResponse
from pathlib import PurePosixPath
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from posewire_cli.errors import SourceError
from posewire_cli.source.bounded_reading import MAX_BYTES, read_bounded

_LOG = logging.getLogger(__name__)

# For one image; a server may send slowly and in any number of pieces.
DEADLINE_SECS = 60.0
# For connecting, and between two pieces.
_SILENCE_SECS = 15.0
_CHUNK_BYTES = 1 << 18
_RESERVED = "%/:=&?~#+!$,;'@()*[]"


def is_url(argument: str) -> bool:
    return argument.lower().startswith(("http://", "https://"))


def url_stem(url: str) -> str:
    """Return the last part of the path without its suffix, in characters of file names."""
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem
    return re.sub(r"[^\w.-]", "_", stem).strip(".") or "image"


def check_url(url: str) -> None:
    """Raise `SourceError` for an address without a host, or with a user, which is not sent."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceError(f"{error}, want http://HOST/PATH") from error
    if not parts.hostname or port == 0:
        raise SourceError("got no host, want http://HOST/PATH")
    if "@" in parts.netloc:
        raise SourceError("got a user in the address, want one without: it is not sent")


def download(url: str) -> bytes:
    """Return what is at an address, through the proxy of the environment, after redirects.

    Raises `SourceError` for more than `MAX_BYTES`, or if that takes longer than `DEADLINE_SECS`.
    """
    check_url(url)
    deadline = monotonic() + DEADLINE_SECS
    future: Future[bytes] = Future()
    # Looking up a host and receiving headers have no timeout for the whole.
    threading.Thread(target=_settle, args=(future, url, deadline), daemon=True).start()
    try:
        return future.result(DEADLINE_SECS)
    except FutureTimeoutError:
        raise _too_slow() from None


def _settle(future: Future[bytes], url: str, deadline: float) -> None:
    try:
        future.set_result(_download(url, deadline))
    except HTTPError as error:
        future.set_exception(SourceError(f"HTTP status {error.code} {error.reason}"))
    except URLError as error:
        future.set_exception(SourceError(f"cannot be downloaded: {error.reason}"))
    except (OSError, HTTPException, ValueError) as error:
        reason = error if isinstance(error, SourceError) else f"cannot be downloaded: {error!r}"
        future.set_exception(SourceError(str(reason)))


def _download(url: str, deadline: float) -> bytes:
    request = Request(quote(url, safe=_RESERVED), headers={"User-Agent": "posewire"})
    with _opener().open(request, timeout=_SILENCE_SECS) as response:
        content = read_bounded(lambda: _read_chunk(response, deadline))
        if response.length:
            raise SourceError(f"ended {response.length} bytes early")
    _LOG.info("downloaded %d bytes from %s", len(content), url)
    return content


def _read_chunk(response: HTTPResponse, deadline: float) -> bytes:
    if monotonic() > deadline:
        raise _too_slow()
    if (response.length or 0) > MAX_BYTES:
        raise SourceError(f"is larger than {MAX_BYTES >> 20} MiB, want an image file")
    return response.read1(_CHUNK_BYTES)


def _too_slow() -> SourceError:
    return SourceError(f"took longer than {DEADLINE_SECS:g} s to download")


class _RedirectHandler(HTTPRedirectHandler):
    """Follows a redirect without its body, which may have no end."""

    def redirect_request(self, req: Request, fp: Any, *arguments: Any) -> Request | None:
        fp.close()  # a response that is closed is read as empty
        return super().redirect_request(req, fp, *arguments)


def _opener() -> OpenerDirector:
    """Return an opener for http and https only: a redirect must not lead to a local file."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _RedirectHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
