"""Each process gets whole cores, next to each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from posewire_server.serving.workers import processors
from posewire_server.serving.workers.processors import divide_processors


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nodes of two cores with two threads each, numbered as Linux usually does.

    This process may not use processor 7.
    """
    cpus, nodes = tmp_path / "cpu", tmp_path / "node"
    for cpu in range(8):
        write(cpus / f"cpu{cpu}/topology/thread_siblings_list", f"{cpu % 4},{cpu % 4 + 4}\n")
    write(nodes / "node0/cpulist", "0,2,4,6\n")
    write(nodes / "node1/cpulist", "1,3,5,7\n")
    monkeypatch.setattr(processors, "_CPUS", cpus)
    monkeypatch.setattr(processors, "_NODES", nodes)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(7)})


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("count", "parts"),
    [
        (1, [{0, 1, 2, 3, 4, 5, 6}]),
        (2, [{0, 2, 4, 6}, {1, 3, 5}]),
        (4, [{0, 4}, {2, 6}, {1, 5}, {3}]),
        (7, [{0}, {4}, {2}, {6}, {1}, {5}, {3}]),
    ],
)
def test_cores_and_nodes_stay_together(count: int, parts: list[set[int]]) -> None:
    assert divide_processors(count) == parts


@pytest.mark.usefixtures("machine")
def test_more_processes_than_processors_share_them() -> None:
    parts = divide_processors(9)
    assert len(parts) == 9
    assert all(len(part) == 1 for part in parts)
    assert set().union(*parts) == {*range(7)}


def test_without_topology_processors_are_divided_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "_CPUS", tmp_path)
    monkeypatch.setattr(processors, "_NODES", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 5})
    assert divide_processors(2) == [{2}, {3, 5}]
