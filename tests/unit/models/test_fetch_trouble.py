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
    """What is kept to go on from."""
    path = cache / "small/small.pth.part"
    return path.read_bytes() if path.exists() else None


def replies(*answers: Reply) -> ModelServer:
    return ModelServer({"/small.pth": [*answers]})


@pytest.mark.parametrize("told", ["true", None])
def test_a_cut_transfer_goes_on_where_it_was(tmp_path: Path, told: str | None) -> None:
    cuts = [Reply(CONTENT, sent=size, told=told) for size in (1000, 2000)]
    with replies(*cuts, Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", "bytes=3000-"]
    assert leftover(tmp_path) is None
    assert [path.name for path in (tmp_path / "small").glob("*.part*")] == []


def test_a_later_run_goes_on_where_an_earlier_one_was_cut(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000)) as server:
        message = failure(server, tmp_path, TransferError)
        assert f"the transfer was cut after 3000 of {len(CONTENT)} bytes" in message
        assert "run it again to resume" in message
        assert leftover(tmp_path) == CONTENT[:3000]
        server.replies["/small.pth"] = [Reply(CONTENT)]
        fetch(server.address, tmp_path)
        assert server.ranges[-1] == "bytes=3000-"


def test_a_server_that_ignores_ranges_sends_it_all_again(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, ranges=False)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-"]


def test_pieces_that_do_not_belong_together_are_fetched_anew(tmp_path: Path) -> None:
    with replies(Reply(OTHER, sent=1000), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


@pytest.mark.parametrize("there", [CONTENT, OTHER, CONTENT + b"more"])
def test_a_leftover_of_full_size_and_more_is_looked_at(tmp_path: Path, there: bytes) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small/small.pth.part").write_bytes(there)
    with replies(Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == ([] if there == CONTENT else [None])


def test_a_range_that_the_server_does_not_have_begins_anew(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(status=416), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


def test_a_range_beyond_the_end_of_a_shorter_file_names_its_size(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT[:500])) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"the file there has 500 bytes, want {len(CONTENT)}" in message
    assert leftover(tmp_path) is None


def test_another_range_than_asked_for_is_not_joined(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, starts=900), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", None]


def test_a_range_of_another_whole_is_refused(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(CONTENT, total=5)) as server:
        assert "the file there has 5 bytes" in failure(server, tmp_path, WrongFileError)


def test_other_content_is_refused_and_removed(tmp_path: Path) -> None:
    with replies(Reply(OTHER)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert "got SHA-384 " in message
    assert ADVICE in message
    assert leftover(tmp_path) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!"])
def test_another_size_is_refused_before_it_is_sent(tmp_path: Path, content: bytes) -> None:
    with replies(Reply(content)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"the file there has {len(content)} bytes, want {len(CONTENT)}" in message
    assert len(server.requests) == 1


def test_more_than_the_size_is_refused_where_no_length_was_told(tmp_path: Path) -> None:
    with replies(Reply(CONTENT + b"!", told=None)) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"got more than the {len(CONTENT)} bytes wanted" in message
    assert leftover(tmp_path) is None


def test_less_than_the_size_is_a_cut_where_no_length_was_told(tmp_path: Path) -> None:
    with replies(Reply(CONTENT[:500], told=None, ranges=False)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"ended after 500 of {len(CONTENT)} bytes" in message
    assert leftover(tmp_path) == CONTENT[:500]


def test_a_claimed_length_that_does_not_come_is_a_cut(tmp_path: Path) -> None:
    with replies(Reply(CONTENT[:700], told=len(CONTENT), ranges=False)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"the transfer was cut after 700 of {len(CONTENT)} bytes" in message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(PAGE, headers=HTML),
        Reply(PAGE, told=None),
        Reply(b"\n " + PAGE.lower(), told=None),
        Reply(PAGE.ljust(len(CONTENT))),
        Reply(b"<p>no doctype</p>", headers=HTML),
    ],
)
def test_a_page_is_called_one(tmp_path: Path, reply: Reply) -> None:
    with replies(reply) as server:
        message = failure(server, tmp_path, WrongFileError)
    assert f"got an HTML page, want a file of {len(CONTENT)} bytes; log in" in message
    assert leftover(tmp_path) is None


def test_the_right_file_may_be_called_a_page(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, headers=HTML)) as server:
        fetch(server.address, tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 501])
def test_what_will_not_change_is_not_asked_twice(tmp_path: Path, status: int) -> None:
    with replies(Reply(status=status)) as server:
        message = failure(server, tmp_path, FetchError)
    assert f"got status {status} " in message
    assert f"want {len(CONTENT)} bytes" in message
    assert ADVICE in message
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_not_well_is_asked_again(tmp_path: Path, status: int) -> None:
    ill = Reply(b"<html>oops</html>", status=status, headers=HTML)
    with replies(ill, ill, Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    with replies(ill) as server:
        message = failure(server, tmp_path / "ill", TransferError)
    assert f"got status {status} " in message
    assert len(server.requests) == 3


def test_an_error_does_not_cost_what_has_come(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000), Reply(status=503), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-", "bytes=1000-"]


def test_redirects_are_followed_with_the_range(tmp_path: Path) -> None:
    moved = Reply(status=302, headers={"Location": "/elsewhere"})
    places = {"/small.pth": [moved], "/elsewhere": [Reply(CONTENT, sent=1000), Reply(CONTENT)]}
    with ModelServer(places) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, None, "bytes=1000-", "bytes=1000-"]


def test_where_a_redirect_led_is_told_without_its_query(tmp_path: Path) -> None:
    moved = Reply(status=302, headers={"Location": "/elsewhere?signature=secret"})
    with replies(moved) as server:
        message = failure(server, tmp_path, FetchError)
    assert f"small.pth (moved to {server.address}/elsewhere): got status 404" in message
    assert "secret" not in message


def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    with replies(Reply(status=302, headers={"Location": "/small.pth"})) as server:
        message = failure(server, tmp_path, FetchError)
    assert "20 redirects and no file" in message


@pytest.mark.parametrize(
    ("target", "kind"), [("ftp://127.0.0.1/small.pth", FetchError), ("http://[bad/", TransferError)]
)
def test_a_redirect_to_nowhere_is_told(tmp_path: Path, target: str, kind: type[FetchError]) -> None:
    with replies(Reply(status=302, headers={"Location": target})) as server:
        message = failure(server, tmp_path, kind)
    assert target.partition(":")[0] in message


@pytest.mark.parametrize("sent", [0, 1000])
def test_a_stall_ends(tmp_path: Path, sent: int) -> None:
    with replies(Reply(CONTENT, sent=sent, stalls=True)) as server:
        message = failure(server, tmp_path, TransferError)
    assert f"nothing received for 0.3 s after {3 * sent} of {len(CONTENT)} bytes" in message
    assert len(server.requests) == 3


def test_a_stall_is_got_over(tmp_path: Path) -> None:
    with replies(Reply(CONTENT, sent=1000, stalls=True), Reply(CONTENT)) as server:
        fetch(server.address, tmp_path)
    assert server.ranges == [None, "bytes=1000-"]


def test_a_compressed_answer_is_refused(tmp_path: Path) -> None:
    with replies(Reply(gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"})) as server:
        message = failure(server, tmp_path, FetchError)
    assert "got it encoded as gzip" in message
    assert server.requests[0].headers["accept-encoding"] == "identity"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_host_that_is_not_there_is_told(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(TransferError) as caught:
        fetch(address, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{address}/small.pth: no connection: ")
    assert "check the network and HTTPS_PROXY" in message
    assert ADVICE in message


def test_a_host_that_never_answers_is_given_up(tmp_path: Path) -> None:
    patience = Patience(connect_secs=0.1, stall_secs=5, delays_secs=())
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        # The one place in the queue is taken, so that further connections stay unanswered.
        with socket.create_connection(("127.0.0.1", port)), pytest.raises(TransferError) as caught:
            fetch(f"http://127.0.0.1:{port}", tmp_path, patience=patience)
    assert "no connection in 0.1 s" in str(caught.value)


def test_proxies_are_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer({"http://host.invalid/small.pth": [Reply(CONTENT)]}) as proxy:
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        fetch("http://host.invalid", tmp_path)
    assert [request.path for request in proxy.requests] == ["http://host.invalid/small.pth"]


def test_a_proxy_setting_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy:70")
    with pytest.raises(FetchError, match=r"proxy settings: .*check HTTPS_PROXY"):
        fetch("http://host.invalid", tmp_path)


def test_room_is_looked_for_first(tmp_path: Path) -> None:
    with replies(Reply(CONTENT)) as server:
        file = RemoteFile("small.pth", f"{server.address}/small.pth", 1 << 60, "0" * 96)
        huge = entry(Converted(file))
        with pytest.raises(FetchError, match=f"bytes are free, want {1 << 60} for small.pth"):
            fetch_model(huge, cache=tmp_path, source=Source(patience=HASTE))
    assert server.requests == []
