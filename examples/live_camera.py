"""Follow a camera without falling behind.

    python examples/live_camera.py localhost:50051 0

The source is a camera's number or a video file, which is read at the pace at
which it plays. With Delivery.LATEST a newer frame replaces one that still
waits, so the answers stay current however slow the server is; each replaced
frame is reported as skipped.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client import AsyncClient, Delivery, FrameFailure, Result, Skipped


async def frames_of(source: str) -> AsyncIterator[NDArray[np.uint8]]:
    camera = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    pause_secs = 0 if source.isdecimal() else 1 / camera.get(cv2.CAP_PROP_FPS)
    while True:
        is_read, frame = await asyncio.to_thread(camera.read)
        if not is_read:
            return
        yield frame.astype(np.uint8, copy=False)
        await asyncio.sleep(pause_secs)


async def main(target: str, source: str) -> None:
    answered = skipped = 0
    async with AsyncClient(target) as client:
        stream = client.stream(frames_of(source), delivery=Delivery.LATEST)
        async with aclosing(stream) as outcomes:
            async for outcome in outcomes:
                match outcome:
                    case Result():
                        answered += 1
                        people = len(outcome.poses)
                        print(f"frame {outcome.frame_id}: {people} people")
                    case Skipped():
                        skipped += 1
                    case FrameFailure():
                        print(f"frame {outcome.frame_id}: {outcome.error}")
    print(f"{answered} frames answered, {skipped} skipped")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
