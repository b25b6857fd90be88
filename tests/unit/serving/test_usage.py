"""Several processes count the streams of callers together, and share their rates."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from posewire_server.serving.access import usage as module
from posewire_server.serving.access.quotas import Account, Quota
from posewire_server.serving.access.usage import SharedUsage, Usage, usage_file
from posewire_server.serving.errors import BusyError

PROCESSES = 3


@pytest.fixture
def file() -> Iterator[int]:
    descriptor = usage_file(PROCESSES)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def processes(file: int) -> list[SharedUsage]:
    """The usage as each process sees it."""
    return [SharedUsage(file, processes=PROCESSES, process=i) for i in range(PROCESSES)]


def test_one_process_counts_by_caller() -> None:
    usage = Usage()
    assert [usage.open_stream("a", 2) for _ in range(3)] == [True, True, False]
    assert usage.open_stream("b", 1)
    usage.close_stream("a")
    assert usage.open_stream("a", 2)
    assert usage.open_stream("b", None)
    assert usage.record_frame("a") == 1


def test_streams_of_all_processes_count(processes: list[SharedUsage]) -> None:
    assert [each.open_stream("a", 4) for each in (*processes, *processes)] == 4 * [True] + [
        False,
        False,
    ]
    assert processes[1].open_stream("b", 1)
    processes[2].close_stream("a")
    assert processes[1].open_stream("a", 4)
    assert not processes[0].open_stream("a", 4)


def test_streams_of_a_process_that_has_died_do_not_count(processes: list[SharedUsage]) -> None:
    for _ in range(2):
        assert processes[1].open_stream("a", 2)
    assert not processes[0].open_stream("a", 2)
    processes[0].clear(1)
    assert processes[0].open_stream("a", 2)


def test_a_rate_is_divided_among_the_processes_that_use_it(processes: list[SharedUsage]) -> None:
    now = 0.0
    first, second = (
        Account("a", Quota(max_rate=10), usage=each, clock=lambda: now) for each in processes[:2]
    )
    for each in (first, second):
        while each.take_frame():  # a burst of its own
            pass
    now = 1.0
    taken = [0, 0]
    for i, each in enumerate((first, second)):
        while each.take_frame():
            taken[i] += 1
    assert taken == [5, 5]


def test_an_account_names_the_limit_of_all_processes(processes: list[SharedUsage]) -> None:
    first, second = (
        Account("a", Quota(max_streams=1, source="tokens.toml"), usage=each)
        for each in processes[:2]
    )
    with first.stream(), pytest.raises(BusyError, match="max_streams is 1"), second.stream():
        pass
    with second.stream():
        pass


def test_rows_of_callers_that_are_gone_are_used_again(
    file: int, processes: list[SharedUsage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ACTIVE_SECS", -1)
    one, other = processes[:2]
    assert one.open_stream("stays", 1)
    for number in range(module._ROWS + 10):
        assert other.open_stream(str(number), 1)
        other.close_stream(str(number))
    assert not other.open_stream("stays", 1)
    one.close_stream("stays")
    assert other.open_stream("stays", 1)


def test_a_full_table_counts_in_each_process(
    processes: list[SharedUsage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = processes[:2]
    for number in range(module._ROWS):
        one.open_stream(str(number), None)
    assert one.open_stream("more", 1)
    assert not one.open_stream("more", 1)
    assert other.open_stream("more", 1)
    other.close_stream("more")
    assert other.record_frame("more") == 1


def test_a_stream_that_the_full_table_does_not_have_counts_later(
    processes: list[SharedUsage], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000
    monkeypatch.setattr(module, "_now", lambda: now)
    one, other = processes[:2]
    for number in range(module._ROWS):
        one.open_stream(str(number), None)
    assert one.open_stream("more", 1)
    one.close_stream("0")
    now += 1
    assert not one.open_stream("more", 1)
    assert one.open_stream("more", 2)
    assert not other.open_stream("more", 2)


def test_a_full_table_is_searched_for_free_rows_once_a_second(
    processes: list[SharedUsage], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000
    monkeypatch.setattr(module, "_now", lambda: now)
    searches: list[int] = []
    one, other = processes[:2]

    def free_rows() -> None:
        searches.append(now)
        SharedUsage._free_rows(one)

    monkeypatch.setattr(one, "_free_rows", free_rows)
    for number in range(module._ROWS):
        other.open_stream(str(number), None)
    for number in range(100):
        assert one.open_stream(f"late {number}", 1)
        assert one.record_frame(f"rated {number}") == 1
    assert searches == [1000]
    other.close_stream("7")
    now = 1001
    assert one.open_stream("later", 1)
    assert searches == [1000, 1001]
    assert not other.open_stream("later", 1)


def test_the_rows_that_a_process_remembers_are_bounded(
    processes: list[SharedUsage], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000
    monkeypatch.setattr(module, "_now", lambda: now)
    one, other = processes[:2]
    # The other process is the one that meets a full table, and frees it.
    for number in range(2):
        for i in range(module._ROWS):
            caller = f"{number} {i}"
            usage = other if i == 0 else one
            assert usage.open_stream(caller, 1)
            usage.close_stream(caller)
        now += module._ACTIVE_SECS + 1
    assert len(one._rows) <= module._ROWS


def open_many(path: str, process: int) -> int:
    with open(path, "r+b", buffering=0) as file:
        usage = SharedUsage(file.fileno(), processes=PROCESSES, process=process)
    return sum(usage.open_stream("a", 600) for _ in range(500))


def test_processes_at_the_same_time_do_not_exceed_a_limit(file: int) -> None:
    path = f"/proc/{os.getpid()}/fd/{file}"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        opened = pool.starmap(open_many, [(path, i) for i in range(2)], chunksize=1)
    assert sum(opened) == 600
