"""The share of the machine's processors that each process gets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_NODES = Path("/sys/devices/system/node")


def divide_processors(count: int) -> list[frozenset[int]]:
    """Divide the processors of this process into `count` sets.

    Threads of one core and cores of one NUMA node stay together as far as the number of sets
    allows. If there are fewer processors than sets, sets share them.
    """
    cores = _cores(os.sched_getaffinity(0), _node_of())
    if len(cores) < count:  # threads of one core in different sets
        cores = [(cpu,) for core in cores for cpu in core]
    return [_part(cores, i, count) for i in range(count)]


def _part(cores: list[tuple[int, ...]], i: int, count: int) -> frozenset[int]:
    begin, end = (len(cores) * k // count for k in (i, i + 1))
    return frozenset(cpu for core in cores[begin : max(end, begin + 1)] for cpu in core)


def _cores(cpus: Iterable[int], node_of: dict[int, int]) -> list[tuple[int, ...]]:
    """Return the processors of each core, cores of the same node next to each other."""
    usable = set(cpus)
    cores = {tuple(sorted(_siblings(cpu) & usable)) for cpu in usable}
    return sorted(cores, key=lambda core: (node_of.get(core[0], 0), core))


def _siblings(cpu: int) -> set[int]:
    """Return the processors of the same core, with this one."""
    return {cpu, *_read_list(_CPUS / f"cpu{cpu}/topology/thread_siblings_list")}


def _node_of() -> dict[int, int]:
    """Return the NUMA node of each processor."""
    nodes = _NODES.glob("node[0-9]*/cpulist")
    return {cpu: int(path.parent.name[4:]) for path in nodes for cpu in _read_list(path)}


def _read_list(path: Path) -> list[int]:
    """Read a list such as 0-3,8; empty if there is no such file."""
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    ranges = (part.partition("-") for part in text.split(",") if part)
    return [cpu for low, _, high in ranges for cpu in range(int(low), int(high or low) + 1)]
