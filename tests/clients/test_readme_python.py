"""The Python examples of the pages about clients run unchanged and print what they should."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from posewire_server.sample import STILL

ROOT = Path(__file__).parents[2]
TIMEOUT = 120
PAGES = ("clients/README.md", "clients/python/README.md")
EXAMPLES = [
    example
    for page in PAGES
    for example in re.findall(
        r"^```python\n(.+?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE
    )
]
OUTPUTS = [
    r"",
    r"",
    r"1 [1-9]\d* people\n2 [1-9]\d* people\n3 [1-9]\d* people\n",
    r"([1-9]\d* people)\n1 \1\n2 \1\n3 \1\n",
    r"IMAGE_UNDECODABLE \['image\.encoded\.data'\]\n",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples read."""
    shutil.copy(STILL, tmp_path / "people.jpg")
    still = cv2.imread(str(STILL))
    assert still is not None
    height, width = still.shape[:2]
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(tmp_path / "people.avi"), codec, 25, (width, height))
    for _ in range(3):
        video.write(still)
    video.release()
    (tmp_path / "people.avi").rename(tmp_path / "people.mp4")  # the reader looks at the content
    return tmp_path


@pytest.mark.parametrize(
    ("example", "output"),
    list(zip(EXAMPLES, OUTPUTS, strict=True)),
    ids=["stubs", "image", "stream", "asynchronous", "errors"],
)
def test_examples_run(example: str, output: str, folder: Path, address: str) -> None:
    program = example.replace("localhost:50051", address)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(output, done.stdout)
