"""Renders the still and the clip that come with posewire: `python -m training.sample --help`.

The clip is encoded by the program ffmpeg, which has to be installed, with its H.264 encoder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_server.skeleton import COCO
from training.annotations import people
from training.renderer import Scene, render_clip
from training.splits import Split, scene

_STILL_INDEX = 34
_STILL_SIZE = (512, 384)
_STILL_QUALITY = 92
_CLIP_SEED = (int(Split.SAMPLE), 1)
_CLIP_SIZE = (640, 360)
_CLIP_FRAMES = 125
_CLIP_RATE = 25


def main() -> None:
    out = _parser().parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    still = scene(Split.SAMPLE, _STILL_INDEX, size=_STILL_SIZE)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _STILL_QUALITY]
    cv2.imwrite(str(out / "still.jpg"), still.image, quality)
    _write_annotations(out / "still.json", [still], ["still.jpg"])
    clip = list(
        render_clip(
            _CLIP_SEED, size=_CLIP_SIZE, frame_count=_CLIP_FRAMES, frames_per_second=_CLIP_RATE
        )
    )
    _encode(out / "clip.mp4", [frame.image for frame in clip])
    _write_annotations(out / "clip.json", clip, [f"clip.mp4#{i}" for i in range(len(clip))])


def _encode(path: Path, frames: Sequence[NDArray[np.uint8]]) -> None:
    height, width = frames[0].shape[:2]
    pixels = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}"]
    # bitexact leaves out the encoder's version, so that the same program writes the same file.
    encoder = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "20", "-pix_fmt", "yuv420p"]
    exactly = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"]
    subprocess.run(
        ["ffmpeg", "-y", "-loglevel", "error", *pixels, "-r", str(_CLIP_RATE), "-i", "-"]
        + [*encoder, *exactly, str(path)],
        input=b"".join(frame.tobytes() for frame in frames),
        check=True,
    )


def _write_annotations(path: Path, scenes: Sequence[Scene], names: Sequence[str]) -> None:
    """COCO's format; `track_id` is who a person is, the same in all frames of the clip."""
    annotations: list[dict[str, Any]] = []
    for image_id, each in enumerate(scenes):
        for person, record in zip(each.people, people(each, image_id), strict=True):
            track = {"id": len(annotations) + 1, "track_id": person.identity}
            annotations.append({**track, **record})
    height, width = scenes[0].image.shape[:2]
    content = {
        "images": [
            {"id": image_id, "file_name": name, "width": width, "height": height}
            for image_id, name in enumerate(names)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": COCO.names}],
        "annotations": annotations,
    }
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.sample",
        description="Write still.jpg, clip.mp4 and what is in them, still.json and clip.json.",
    )
    parser.add_argument("--out", type=Path, required=True, help="directory of the four files")
    return parser


if __name__ == "__main__":
    main()
