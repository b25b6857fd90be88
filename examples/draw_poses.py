"""Draw the people in an image.

    python examples/draw_poses.py localhost:50051 people.jpg drawn.png

The server's description of the model says which keypoints to join by lines.
"""

from __future__ import annotations

import sys

import cv2

from posewire_client import Client, Origin, Pose, Skeleton


def draw(image: cv2.typing.MatLike, pose: Pose, skeleton: Skeleton) -> None:
    for first, second in skeleton.edges:
        ends = pose[first], pose[second]
        if all(end.origin is not Origin.ABSENT for end in ends):
            start, stop = ((round(end.x), round(end.y)) for end in ends)
            cv2.line(image, start, stop, (0, 200, 80), 2, cv2.LINE_AA)


def main(target: str, source: str, destination: str) -> None:
    image = cv2.imread(source)
    if image is None:
        sys.exit(f"{source}: not an image")
    with Client(target) as client:
        skeleton = client.model().skeleton
        result = client.estimate(source)
    for pose in result.poses:
        draw(image, pose, skeleton)
    cv2.imwrite(destination, image)


if __name__ == "__main__":
    main(*sys.argv[1:])
