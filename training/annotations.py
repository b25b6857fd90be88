"""Rendered scenes as COCO annotates images, with the area of the box as a person's area.

COCO's own areas are those of masks, about half of the box: average precision by box areas is
kinder, by nine points for the demo network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_cli.evaluation.coco_dataset import CocoDataset
from training.renderer import Person, Scene
from training.splits import Split, scene


def dataset(split: Split, indices: Iterable[int], *, size: int) -> CocoDataset[NDArray[np.uint8]]:
    """Scenes of a split as images in memory, with their indices as image ids."""
    scenes = {index: scene(split, index, size=size) for index in indices}
    return CocoDataset(
        frames={index: each.image for index, each in scenes.items()},
        people=[person for index, each in scenes.items() for person in people(each, index)],
    )


def people(scene: Scene, image_id: int) -> list[dict[str, Any]]:
    """One annotation for each person of the scene."""
    return [annotation(person, image_id) for person in scene.people]


def annotation(person: Person, image_id: int) -> dict[str, Any]:
    """COCO's record of a person, coordinates to a tenth of a pixel."""
    keypoints = np.column_stack([person.keypoints.round(1), person.visibility])
    keypoints[person.visibility == 0] = 0
    box = [round(float(value), 1) for value in person.box]
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": keypoints.ravel().tolist(),
        "num_keypoints": int((person.visibility > 0).sum()),
        "bbox": box,
        "area": round(box[2] * box[3], 2),
        "iscrowd": 0,
    }
