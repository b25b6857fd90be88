"""Find the people in every frame of a video.

    python examples/stream_video.py localhost:50051 video.mp4

The stream is lossless: each frame gets an answer, in order, and the file is
read no faster than the server answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client import Client, FrameFailure, Result


def frames_of(path: str) -> Iterator[NDArray[np.uint8]]:
    video = cv2.VideoCapture(path)
    while True:
        is_read, frame = video.read()
        if not is_read:
            return
        yield frame.astype(np.uint8, copy=False)


def main(target: str, path: str) -> None:
    with Client(target) as client:
        for outcome in client.stream(frames_of(path)):
            match outcome:
                case Result():
                    people = len(outcome.poses)
                    print(f"frame {outcome.frame_id}: {people} people")
                case FrameFailure():
                    print(f"frame {outcome.frame_id}: {outcome.error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
