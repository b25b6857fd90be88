from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

CODE = """
import ctypes
from posewire_server.serving.scheduling.allocator import keep_large_blocks

libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd",
        "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]

libc.mallinfo.restype = Info

def mapped_alone():
    before = libc.mallinfo().hblks
    libc.malloc(ctypes.c_size_t(16 << 20))
    return libc.mallinfo().hblks - before

print(mapped_alone())
keep_large_blocks()
print(mapped_alone())
"""


def test_large_blocks_stay_with_the_process() -> None:
    try:
        ctypes.CDLL("libc.so.6")
    except OSError:
        pytest.skip("another C library than glibc")
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == ["1", "0"], run.stderr
