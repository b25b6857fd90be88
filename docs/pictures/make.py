"""Run each command on the bundled samples and render what it prints: `make pictures`.

Writes an SVG for each command beside this file, and JPEG files of what `predict` and `stream` draw.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from docs.pictures.terminal import Step, render
from posewire_server.sample import CLIP, STILL

HERE = Path(__file__).parent
ANNOTATIONS = HERE.parents[1] / "tests" / "golden" / "sample" / "still.json"
MAX_BYTES = 60_000

# Typed for each picture, in a directory with people.jpg, video.mp4, images/ and people.json.
COMMANDS = {
    "help": "posewire --help",
    "predict": "posewire predict --model demo --annotated drawn people.jpg",
    "stream": "posewire stream --model demo --track --trails 1 --annotated drawn.mp4 --frames 50 "
    "video.mp4",
    "bench": "posewire bench --model demo --concurrency 1,2 --seconds 5",
    "models": "posewire models list",
    "eval": "posewire eval --model demo --images images --annotations people.json",
    "demo": "posewire demo --frames 50",
}
SERVE = "posewire serve --model demo --address 127.0.0.1:50051"
CALL = "posewire predict --server 127.0.0.1:50051 people.jpg"
_SHOWN_FRAMES = (15, 47)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shutil.copy(STILL, work / "people.jpg")
        shutil.copy(CLIP, work / "video.mp4")
        shutil.copy(ANNOTATIONS, work / "people.json")
        (work / "images").mkdir()
        shutil.copy(STILL, work / "images")
        for picture, command in COMMANDS.items():
            print(picture, flush=True)
            (HERE / f"{picture}.svg").write_text(render([Step(command, _run(command, work))]))
        print("serve", flush=True)
        (HERE / "serve.svg").write_text(render(_serve(work)))
        still = cv2.imread(str(work / "drawn" / "people.png"))
        assert still is not None
        _write_jpeg(HERE / "predict.jpg", still)
        _write_jpeg(HERE / "stream.jpg", _frames(work / "drawn.mp4"))


def _environment(work: Path) -> dict[str, str]:
    """Keep this machine's paths out of the pictures."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "HOME": "/home/you", "PATH": path, "PWD": str(work), "COLUMNS": "80"}


def _run(command: str, work: Path) -> str:
    done = subprocess.run(
        command.split(),
        cwd=work,
        env=_environment(work),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def _serve(work: Path) -> list[Step]:
    """Call a server that runs in the background, and stop it."""
    with subprocess.Popen(
        SERVE.split(),
        cwd=work,
        env=_environment(work),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            ready = ""
            while "serves at" not in ready:
                line = server.stdout.readline()
                if not line:
                    raise SystemExit(f"{SERVE}: has ended\n{ready}")
                ready += line
            called = _run(CALL, work)
            server.send_signal(signal.SIGTERM)
            rest = server.stdout.read()
        finally:
            server.terminate()
    return [Step(f"{SERVE} &", ready), Step(CALL, called), Step("kill %1", rest)]


def _frames(path: Path) -> cv2.typing.MatLike:
    """Return some frames, side by side."""
    video = cv2.VideoCapture(str(path))
    frames = [frame for _, frame in iter(video.read, (False, None))]
    return np.hstack([frames[i] for i in _SHOWN_FRAMES])


def _write_jpeg(path: Path, image: cv2.typing.MatLike) -> None:
    """Write with the best quality that the limit allows."""
    for quality in range(92, 40, -4):
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) < MAX_BYTES:
            path.write_bytes(data)
            return
    raise SystemExit(f"{path}: larger than {MAX_BYTES} bytes at any quality")


if __name__ == "__main__":
    main()
