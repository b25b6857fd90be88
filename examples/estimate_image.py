"""Print the people in an image.

    python examples/estimate_image.py localhost:50051 people.jpg

Keypoints that score below 0.2 are absent.
"""

from __future__ import annotations

import sys

from posewire_client import Client, EstimateOptions, Origin


def main(target: str, image: str) -> None:
    with Client(target) as client:
        names = client.model().skeleton.keypoint_names
        options = EstimateOptions(min_keypoint_score=0.2)
        result = client.estimate(image, options=options)
    size = f"{result.image_width}×{result.image_height}"
    print(f"{len(result.poses)} people, {size} pixels")
    for pose in result.poses:
        print(f"score {pose.score:.2f}")
        for k, name in enumerate(names):
            keypoint = pose[k]
            if keypoint.origin is not Origin.ABSENT:
                print(f"  {name} at {keypoint.x:.1f}, {keypoint.y:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
