"""Steers new connections to the process that has the fewest.

The kernel divides connections to a shared port at random, so that of a few long streams one process
may get all and another none. A program of the port's sockets, which the kernel runs for each new
connection, chooses instead. It costs nothing afterwards: connections go to their process directly.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import logging
import os
import random
import signal
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TypeAlias

_LOG = logging.getLogger(__name__)

# Of Linux, for which Python has no names.
_SO_ATTACH_REUSEPORT_CBPF = 51
_F_SETSIG = 10

# Instructions of classic BPF: operation, offset if true, offset if false, operand.
_LOAD_RANDOM = (0x20, 0, 0, 0xFFFFF000 + 56)  # SKF_AD_RANDOM
_MODULO, _JUMP_IF_EQUAL, _RETURN = 0x94, 0x15, 0x06

# In a burst, connections are spread for as many as came in this time.
_BURST_SECS = 0.02
_MAX_SLOTS = 64

# Each process has a real-time signal of its own.
MAX_PROCESSES = signal.SIGRTMAX - signal.SIGRTMIN

# Of one process since its last report, which does not come while its event loop is blocked.
_MAX_ARRIVALS = 4096

# A process and its listening socket.
_Member: TypeAlias = tuple[int, socket.socket]


class _Load:
    """What one process has: connections or streams that it reported, and what came since."""

    def __init__(self) -> None:
        self.is_serving = False
        self._reported = 0
        self._arrivals: deque[float] = deque(maxlen=_MAX_ARRIVALS)

    @property
    def total(self) -> int:
        return self._reported + len(self._arrivals)

    def arrive(self) -> None:
        self._arrivals.append(monotonic())

    def report(self, load: int, at: float) -> None:
        self._reported = load
        while self._arrivals and self._arrivals[0] <= at:
            self._arrivals.popleft()


class Steering:
    """Steers the connections of one port; belongs to one event loop, in the main thread.

    Each listening socket signals its new connections to this process, so that the next one is
    steered past it even before its process has reported it.
    """

    def __init__(self, processes: int) -> None:
        self._loads = [_Load() for _ in range(processes)]
        # By local address, in the order in which the kernel numbers them.
        self._groups: dict[tuple[object, ...], list[_Member]] = {}
        self._can_steer = True
        self._is_due = False
        # When the last connections came: as many may come before the next program.
        self._recent: deque[float] = deque(maxlen=_MAX_SLOTS)
        # Comes instead if too many signals wait, and would end the process.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        self._loop = asyncio.get_running_loop()
        for i in range(processes):
            self._loop.add_signal_handler(signal.SIGRTMIN + i, self._arrive, i)

    def join(self, process: int, sockets: Sequence[socket.socket]) -> None:
        """Add the listening sockets of a process, the last one to listen so far."""
        _allow_lost_signals()
        self._loads[process] = _Load()
        for each in sockets:
            _signal_connections(each, signal.SIGRTMIN + process)
            key = (each.family, each.getsockname())
            self._groups.setdefault(key, []).append((process, each))
        self._steer()

    def leave(self, process: int) -> None:
        """Remove a process, and close its sockets here: connections that wait there end."""
        self._loads[process] = _Load()
        for members in self._groups.values():
            _remove(members, lambda each, _: each == process)
        self._steer()

    def report(self, process: int, *, load: int, at: float, is_serving: bool) -> None:
        """Count what a process had at that time of `monotonic`."""
        found = self._loads[process]
        before = found.total, found.is_serving
        found.report(load, at)
        found.is_serving = is_serving
        if (found.total, found.is_serving) != before:
            self._steer()

    def close(self) -> None:
        """Steer no more; connections to processes that still listen are ignored from now on."""
        self._ignore_signals()
        for members in self._groups.values():
            for _, each in members:
                each.close()
        self._groups.clear()

    def _ignore_signals(self) -> None:
        """Ignore the signals, which would end this process once its event loop is closed."""
        numbers = [signal.SIGRTMIN + i for i in range(len(self._loads))]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            for each in numbers:
                self._loop.remove_signal_handler(each)
                signal.signal(each, signal.SIG_IGN)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _count_recent(self) -> int:
        earliest = monotonic() - _BURST_SECS
        while self._recent and self._recent[0] < earliest:
            self._recent.popleft()
        return len(self._recent)

    def _arrive(self, process: int) -> None:
        self._loads[process].arrive()
        self._recent.append(monotonic())
        if not self._is_due:  # once for all signals that have come
            self._is_due = True
            self._loop.call_soon(self._steer)

    def _steer(self) -> None:
        self._is_due = False
        if not self._can_steer:
            return
        for members in self._groups.values():
            _remove(members, lambda _, listener: not _is_listening(listener))
            if len(members) > 1:
                self._attach(members)

    def _attach(self, members: Sequence[_Member]) -> None:
        loads = {i: self._loads[process] for i, (process, _) in enumerate(members)}
        usable = {i: each.total for i, each in loads.items() if each.is_serving}
        totals = usable or {i: each.total for i, each in loads.items()}
        slots = next_places(totals, min(max(self._count_recent(), len(totals)), _MAX_SLOTS))
        program = ctypes.create_string_buffer(steering_program(slots))
        pointer = struct.pack("HP", len(program) // 8, ctypes.addressof(program))
        try:
            members[0][1].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, pointer)
        except OSError as error:
            self._can_steer = False
            _LOG.warning(
                "cannot steer connections (%s): the kernel spreads them at random", error.strerror
            )


def _remove(members: list[_Member], is_gone: Callable[[int, socket.socket], bool]) -> None:
    """Close and remove sockets; as in the kernel, the last one gets the number of a removed one."""
    for i in reversed(range(len(members))):
        if is_gone(*members[i]):
            members[i][1].close()
            members[i] = members[-1]
            del members[-1]


def _is_listening(listener: socket.socket) -> bool:
    return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def next_places(loads: Mapping[int, int], count: int) -> list[int]:
    """Return where the next `count` connections should go: each to the least loaded place."""
    loads = dict(loads)
    places = []
    for _ in range(count):
        least = min(loads.values())
        place = random.choice([i for i, load in loads.items() if load == least])
        loads[place] += 1
        places.append(place)
    return places


def steering_program(slots: Sequence[int]) -> bytes:
    """Return a program of classic BPF that chooses one of these numbers at random.

    Several connections may come before the next program: they are spread, too.
    """
    program = [_LOAD_RANDOM, (_MODULO, 0, 0, len(slots))]
    for i, slot in enumerate(slots[:-1]):
        program += [(_JUMP_IF_EQUAL, 0, 1, i), (_RETURN, 0, 0, slot)]
    program.append((_RETURN, 0, 0, slots[-1]))
    return b"".join(struct.pack("HBBI", *each) for each in program)


def _allow_lost_signals() -> None:
    """Let Python say nothing of signals that do not fit into the pipe to the event loop.

    It would write a traceback for each connection of a flood. `add_signal_handler` undoes this.
    """
    pipe = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(pipe, warn_on_full_buffer=False)


def _signal_connections(listener: socket.socket, number: int) -> None:
    """Let the kernel send a signal to this process for each new connection.

    Polling would miss those that the worker accepts first.
    """
    fcntl.fcntl(listener, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(listener, _F_SETSIG, number)
    flags = fcntl.fcntl(listener, fcntl.F_GETFL)
    fcntl.fcntl(listener, fcntl.F_SETFL, flags | os.O_ASYNC)
