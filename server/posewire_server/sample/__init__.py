"""A still and a clip to try posewire on, with the people in them in COCO's format.

Both were rendered by `training/sample.py`: nobody in them is real. In the clip an annotation's
`image_id` is the number of the frame, and `track_id` is the same person's in all frames.
"""

from __future__ import annotations

from pathlib import Path

_DIRECTORY = Path(__file__).parent

STILL = _DIRECTORY / "still.jpg"
STILL_ANNOTATIONS = _DIRECTORY / "still.json"
CLIP = _DIRECTORY / "clip.mp4"
CLIP_ANNOTATIONS = _DIRECTORY / "clip.json"
