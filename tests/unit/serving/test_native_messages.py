from __future__ import annotations

import ctypes
import signal
import subprocess
import sys

import pytest

CODE = """
import ctypes, logging, sys, time
from posewire_server.serving.transport import native_messages

native_messages._PERIOD_SECS = 1
logging.basicConfig(format="%(name)s: %(message)s")
native_messages.limit_native_messages()
libc = ctypes.CDLL(None)
stderr = ctypes.c_void_p.in_dll(libc, "stderr")
for i in range(1000):
    libc.fprintf(stderr, b"line %d\\n", i)
sys.stderr.write("from Python\\n")
time.sleep(1.5)
libc.fprintf(stderr, b"a minute later\\n")
time.sleep(0.5)
"""


def test_lines_of_c_libraries_are_logged_up_to_a_limit() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("another C library than glibc")
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    lines = run.stderr.splitlines()
    assert lines.count("from Python") == 1
    lines.remove("from Python")
    name = "posewire_server.serving.transport.native_messages"
    assert lines[:10] == [f"{name}: line {i}" for i in range(10)]
    assert lines[10].endswith("more lines of C libraries")
    assert lines[11:] == [f"{name}: a minute later"]


ABORT = """
import ctypes
from posewire_server.serving.transport import native_messages

native_messages.limit_native_messages()

def decode():
    ctypes.CDLL(None).abort()

decode()
"""


def test_the_call_that_aborts_the_process_is_printed() -> None:
    run = subprocess.run([sys.executable, "-c", ABORT], capture_output=True, text=True, timeout=60)
    assert run.returncode == -signal.SIGABRT
    assert "Aborted" in run.stderr
    assert " in decode" in run.stderr
