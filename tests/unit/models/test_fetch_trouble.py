from __future__ import annotations

import gzip
import socket
from pathlib import Path

import pytest

from posewire_server.models import convert
from posewire_server.models.catalog_entry import Converted, RemoteFile
from posewire_server.models.errors import FetchError, TransferError, WrongFileError
from posewire_server.models.fetch import Source, fetch_model
from posewire_server.models.fetch.download import Patience
from tests.reference.model_server import ModelServer, Reply
from tests.reference.small_models import (
    CONTENT,
    HASTE,
    converted_entry,
    copying_converter,
    entry,
)

OTHER = bytes(reversed(CONTENT))
ADVICE = "name a mirror by --mirror or POSEWIRE_MIRROR"
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(convert, "convert_checkpoint", copying_converter)


def fetch(
    server: str, cache: Path, *, patience: Patience = HASTE, content: bytes = CONTENT
) -> None:
    model = converted_entry(server, content=content)
    fetch_model(model, cache=cache, source=Source(patience=patience))
    assert (cache / "small/small.pth").read_bytes() == content
    assert (cache / "small/fp32/small.bin").read_bytes() == content


def failure(server: ModelServer, cache: Path, kind: type[FetchError]) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(server.address, cache)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{server.address}/small.pth")
    assert not (cache / "small/small.pth").exists()
    assert not (cache / "small/fp32").exists()
    return message


def leftover(cache: Path) -> bytes | None:
    """Return the bytes kept for resuming."""
    path = cache / "small/small.pth.part"
    return path.read_bytes() if path.exists() else None


def replies(*answers: Reply) -> ModelServer:
    return ModelServer({"/small.pth": [*answers]})


@pytest.mark.parametrize("length", ["true", None])
def test_a_cut_transfer_is_resumed(tmp_path: Path, length: str | None) -> None:
    cuts = [Reply(CONTENT, sent=size, length=length) for size in (1000, 2000)]
    with replies(*cuts, Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", "bytes=3000-"]
    assert leftover(tmp_path) is None
    assert [path.name for path in (tmp_path / "small").glob("*.part*")] == []


def test_a_later_run_resumes_an_earlier_one(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000)) as server:
        message = failure(server, tmp_path, TransferError)
        assert f"the transfer was cut after 3000 of {len(CONTENT)} bytes" in message
        assert "run it again to resume" in message
        assert leftover(tmp_path) == CONTENT[:3000]
        server.replies["/small.pth"] = [Reply(CONTENT)]
        fetch(server.address, tmp_path)
        assert server.ranges[-1] == "bytes=3000-"


def test_a_server_without_ranges_sends_the_whole_file(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, ranges=False)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-"]


def test_pieces_of_two_versions_are_fetched_again_from_the_start(tmp_path: Path) -> None:
    with replies(Reply(OTHER, sent=1000), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


@pytest.mark.parametrize("there", [CONTENT, OTHER, CONTENT + b"more"])
def test_a_leftover_of_full_size_or_more_is_checked(tmp_path: Path, there: bytes) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small/small.pth.part").write_bytes(there)
    with replies(Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == ([] if there == CONTENT else [None])


def test_an_unsatisfiable_range_starts_over(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(status=416), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


def test_a_range_beyond_a_shorter_file_reports_its_size(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT[:500])) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"the file there has 500 bytes, want {len(CONTENT)}" in message
    assert leftover(tmp_path) is None


def test_a_wrong_range_is_not_joined(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, starts=900), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


def test_a_range_of_another_size_is_refused(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, total=5)) as server:
        assert "the file there has 5 bytes" in failure(server, tmp_path, WrongFileError)


def test_wrong_content_is_refused_and_removed(tmp_path: Path) -> None:
    with replies(Reply(OTHER)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert "got SHA-384 " in message
    assert ADVICE in message
    assert leftover(tmp_path) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!"])
def test_a_wrong_size_is_refused_before_the_body(tmp_path: Path, content: bytes) -> None:
    with replies(Reply(content)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"the file there has {len(content)} bytes, want {len(CONTENT)}" in message
    assert len(server.requests) == 1


def test_excess_bytes_without_a_length_are_refused(tmp_path: Path) -> None:
    with replies(Reply(CONTENT + b"!", length=None)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"got more than the {len(CONTENT)} bytes wanted" in message
    assert leftover(tmp_path) is None


def test_missing_bytes_without_a_length_are_a_cut(tmp_path: Path) -> None:
    with replies(Reply(CONTENT[:500], length=None, ranges=False)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"ended after 500 of {len(CONTENT)} bytes" in message
    assert leftover(tmp_path) == CONTENT[:500]


def test_fewer_bytes_than_the_length_are_a_cut(tmp_path: Path) -> None:
    with replies(Reply(CONTENT[:700], length=len(CONTENT), ranges=False)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"the transfer was cut after 700 of {len(CONTENT)} bytes" in message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(PAGE, headers=HTML),
        Reply(PAGE, length=None),
        Reply(b"\n " + PAGE.lower(), length=None),
        Reply(PAGE.ljust(len(CONTENT))),
        Reply(b"<p>no doctype</p>", headers=HTML),
    ],
)
def test_an_html_page_is_recognised(tmp_path: Path, reply: Reply) -> None:
    with replies(reply) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"got an HTML page, want a file of {len(CONTENT)} bytes; log in" in message
    assert leftover(tmp_path) is None


def test_the_right_file_may_have_the_type_of_a_page(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, headers=HTML)) as server:
        fetch(server.address, tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 501])
def test_permanent_errors_are_not_retried(tmp_path: Path, status: int) -> None:
    with replies(Reply(status=status)) as server:
        message = failure(server, tmp_path, FetchError)
    assert f"got status {status} " in message
    assert f"want {len(CONTENT)} bytes" in message
    assert ADVICE in message
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_errors_are_retried(tmp_path: Path, status: int) -> None:
    ill = Reply(b"<html>oops</html>", status=status, headers=HTML)
    with replies(ill, ill, Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    with replies(ill) as server:
        message = failure(server, tmp_path / "ill", TransferError)
    assert f"got status {status} " in message
    assert len(server.requests) == 3


def test_an_error_keeps_received_bytes(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(status=503), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", "bytes=1000-"]


def test_redirects_are_followed_with_the_range(tmp_path: Path) -> None:
    moved = Reply(status=302, headers={"Location": "/elsewhere"})
    places = {"/small.pth": [moved], "/elsewhere": [Reply(CONTENT, sent=1000), Reply(CONTENT)]}
    with ModelServer(places) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, None, "bytes=1000-", "bytes=1000-"]


def test_a_redirect_is_reported_without_its_query(tmp_path: Path) -> None:
    moved = Reply(status=302, headers={"Location": "/elsewhere?signature=secret"})
    with replies(moved) as server:
        message = failure(server, tmp_path, FetchError)
    assert f"small.pth (moved to {server.address}/elsewhere): got status 404" in message
    assert "secret" not in message


def test_a_redirect_loop_is_an_error(tmp_path: Path) -> None:
    with replies(Reply(status=302, headers={"Location": "/small.pth"})) as server:
        message = failure(server, tmp_path, FetchError)
    assert "20 redirects and no file" in message


@pytest.mark.parametrize(
    ("target", "kind"), [("ftp://127.0.0.1/small.pth", FetchError), ("http://[bad/", TransferError)]
)
def test_a_redirect_to_a_bad_address_is_an_error(
    tmp_path: Path, target: str, kind: type[FetchError]
) -> None:
    with replies(Reply(status=302, headers={"Location": target})) as server:
        message = failure(server, tmp_path, kind)
    assert target.partition(":")[0] in message


@pytest.mark.parametrize("sent", [0, 1000])
def test_a_stall_times_out(tmp_path: Path, sent: int) -> None:
    with replies(Reply(CONTENT, sent=sent, stalls=True)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"nothing received for 0.3 s after {3 * sent} of {len(CONTENT)} bytes" in message
    assert len(server.requests) == 3


def test_a_stalled_transfer_is_resumed(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000, stalls=True), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-"]


def test_a_compressed_response_is_refused(tmp_path: Path) -> None:
    with replies(Reply(gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"})) as server:
        message = failure(server, tmp_path, FetchError)
    assert "got it encoded as gzip" in message
    assert server.requests[0].headers["accept-encoding"] == "identity"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_refused_connection_is_an_error(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(TransferError) as caught:
        fetch(address, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{address}/small.pth: no connection: ")
    assert "check the network and HTTPS_PROXY" in message
    assert ADVICE in message


def test_a_connection_times_out(tmp_path: Path) -> None:
    patience = Patience(connect_secs=0.1, stall_secs=5, delays_secs=())
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        # The only place in the backlog is taken, so further connections time out.
        with socket.create_connection(("127.0.0.1", port)), pytest.raises(TransferError) as caught:
            fetch(f"http://127.0.0.1:{port}", tmp_path, patience=patience)
    assert "no connection in 0.1 s" in str(caught.value)


def test_proxies_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer({"http://host.invalid/small.pth": [Reply(CONTENT)]}) as proxy:
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        fetch("http://host.invalid", tmp_path)
    assert [request.path for request in proxy.requests] == ["http://host.invalid/small.pth"]


def test_an_invalid_proxy_setting_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy:70")
    with pytest.raises(FetchError, match=r"proxy settings: .*check HTTPS_PROXY"):
        fetch("http://host.invalid", tmp_path)


def test_free_space_is_checked_first(tmp_path: Path) -> None:
    with replies(Reply(CONTENT)) as server:
        file = RemoteFile("small.pth", f"{server.address}/small.pth", 1 << 60, "0" * 96)
        huge = entry(Converted(file))
        with pytest.raises(FetchError, match=f"bytes are free, want {1 << 60} for small.pth"):
            fetch_model(huge, cache=tmp_path, source=Source(patience=HASTE))
    assert server.requests == []
