"""The people in the still and the clip that come with posewire, in COCO's format.

In the clip's, `image_id` is the number of the frame, and `track_id` identifies a person in all
frames. `training/sample.py` writes them beside the pictures.
"""

from __future__ import annotations

from pathlib import Path

_DIRECTORY = Path(__file__).parents[1] / "golden" / "sample"

STILL_ANNOTATIONS = _DIRECTORY / "still.json"
CLIP_ANNOTATIONS = _DIRECTORY / "clip.json"
