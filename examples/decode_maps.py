"""Decode the output of a network that you run yourself.

    python examples/decode_maps.py people.jpg

The decoder takes NumPy arrays and needs nothing else of posewire. Here OpenVINO
runs the bundled network on an image that is simply resized, without keeping its
aspect.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import openvino as ov

from posewire_decoder import Decoder, DecoderOptions, join_duplicates
from posewire_server.models.installed import installed_model
from posewire_server.skeleton import COCO

WIDTH, HEIGHT = 352, 256  # multiples of 32
MIN_POSE_SCORE = 0.35


def main(path: str) -> None:
    image = cv2.imread(path)
    if image is None:
        sys.exit(f"{path}: not an image")
    network = ov.Core().compile_model(installed_model("demo").path, "CPU")
    output = network(cv2.resize(image, (WIDTH, HEIGHT))[np.newaxis])

    decoder = Decoder(DecoderOptions(delta=(0.5, 0.5)))
    poses = decoder.decode(output["heatmaps"], output["embeddings"])
    keypoints, _, _, scores = join_duplicates(
        poses.keypoints,
        poses.keypoint_scores,
        poses.origins,
        oks_sigmas=COCO.oks_sigmas,
        oks_threshold=0.5,
    )

    cells = np.array(output["heatmaps"].shape[:1:-1])  # width, height
    pixels_per_cell = image.shape[1::-1] / cells
    for score, pose in zip(scores, keypoints, strict=True):
        if score >= MIN_POSE_SCORE:
            x, y = pose[COCO.names.index("nose")] * pixels_per_cell - 0.5
            print(f"score {score:.2f}, nose at {x:.1f}, {y:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
