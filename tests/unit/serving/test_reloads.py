from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from posewire_server.errors import InputError
from posewire_server.serving.reloads import Reloads
from tests.reference.waiting import wait_until

TIMEOUT = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


def test_a_source_is_reloaded_when_its_file_changes(path: Path) -> None:
    reloads, read = Reloads(), list[str]()
    reloads.add("file", [path], lambda: read.append(path.read_text()))
    reloads.check()
    assert read == []
    path.write_text("three")
    reloads.check()
    reloads.check()
    assert read == ["three"]


def test_a_link_to_another_file_is_a_change(path: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "link", tmp_path / "other"
    other.write_text("two")
    link.symlink_to(path)
    reloads, read = Reloads(), list[str]()
    reloads.add("file", [link], lambda: read.append(link.read_text()))
    link.unlink()
    link.symlink_to(other)
    reloads.check()
    assert read == ["two"]


def test_a_missing_file_is_a_change_and_so_is_its_return(path: Path) -> None:
    reloads, calls = Reloads(), list[bool]()
    reloads.add("file", [path], lambda: calls.append(path.exists()))
    path.unlink()
    reloads.check()
    reloads.check()
    path.write_text("again")
    reloads.check()
    assert calls == [False, True]


@pytest.mark.parametrize("error", [InputError("file: got one, want two"), RuntimeError("a bug")])
def test_a_source_that_fails_is_logged_and_the_others_are_reloaded(
    path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    reloads, calls = Reloads(), list[int]()
    reloads.add("the first", [path], fail)
    reloads.add("the second", [path], lambda: calls.append(1))
    with caplog.at_level(logging.INFO):
        reloads.check(all_sources=True)
    assert calls == [1]
    assert "the first not reloaded, the old one stays in use" in caplog.text
    assert str(error) in caplog.text
    assert "the second reloaded" in caplog.text


def test_a_request_reloads_at_once_what_has_not_changed(path: Path) -> None:
    reloads, called = Reloads(check_secs=3600), threading.Event()
    reloads.add("file", [path], called.set)
    reloads.start()
    try:
        reloads.request()
        assert called.wait(TIMEOUT)
    finally:
        reloads.stop()


def test_a_change_is_noticed_without_a_request(path: Path) -> None:
    reloads, called = Reloads(check_secs=0.01), threading.Event()
    reloads.add("file", [path], called.set)
    reloads.start()
    try:
        path.write_text("three")
        assert called.wait(TIMEOUT)
    finally:
        reloads.stop()
    wait_until(lambda: not any(each.name == "reload" for each in threading.enumerate()))


def test_nothing_is_watched_without_sources() -> None:
    before = threading.active_count()
    reloads = Reloads()
    reloads.start()
    assert not reloads.has_sources
    assert threading.active_count() == before


def test_a_source_that_takes_long_does_not_delay_others(path: Path) -> None:
    reloads, called, may_end = Reloads(check_secs=0.01), threading.Event(), threading.Event()
    reloads.add("models", (), lambda: may_end.wait(TIMEOUT))
    reloads.add("file", [path], called.set)
    reloads.start()
    try:
        reloads.request()
        assert called.wait(TIMEOUT)
        assert reloads.is_busy
    finally:
        may_end.set()
        reloads.stop()
