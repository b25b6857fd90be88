"""Draw poses into images.

Needs OpenCV, which the rest of the client does not: import this module where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence

from posewire_client.drawing.colours import (
    PersonColours,
    keypoint_colours,
    person_colour,
    text_colours,
)
from posewire_client.drawing.figures import draw_figures, measure_figures
from posewire_client.drawing.labels import Label, draw_label, place_labels
from posewire_client.drawing.style import Image, Style
from posewire_client.drawing.text import draw_caption
from posewire_client.drawing.trails import Trails
from posewire_client.pose import Pose
from posewire_client.skeleton import Skeleton

__all__ = ["PersonColours", "Style", "Trails", "draw_poses"]


def draw_poses(
    image: Image,
    poses: Sequence[Pose],
    skeleton: Skeleton,
    style: Style = Style(),
    *,
    caption: Sequence[str] = (),
    colors: Sequence[int | None] | None = None,
) -> None:
    """Draw edges, keypoints, pose scores and track ids into a BGR image.

    `caption` is written at its top left.

    A DETECTED keypoint is a filled disc, an INFERRED one is hollow. Sizes follow those of the
    person. The first pose, which is the best, is drawn last. `colors` has a number for each pose,
    which gives its colour if `style` colours by person, or None for grey (default: track ids, or
    indices if no pose has one).

    Raises ValueError unless the image is a contiguous, writable array (h, w, 3) of uint8.
    """
    _check(image)
    if colors is None:
        ids = [pose.track_id for pose in poses]
        colors = ids if any(each is not None for each in ids) else [*range(len(poses))]
    size = (image.shape[1], image.shape[0])
    if poses:
        figures = measure_figures(poses, skeleton, style, size)
        by_limb = keypoint_colours(skeleton)
        by_person = [[person_colour(color)] * len(by_limb) for color in colors]
        draw_figures(
            image, figures, by_person if style.color_by == "person" else [by_limb] * len(poses)
        )
    if not style.text:
        return
    taken = draw_caption(image, caption)
    if poses:
        labels = [
            Label(
                n,
                _describe(poses[n]),
                float(figures.sizes.digits[n]),
                *text_colours(style.color_by, color),
            )
            for n, color in enumerate(colors)
            if figures.in_image[n]
        ]
        for label, corner in zip(labels, place_labels(labels, figures, size, taken), strict=True):
            draw_label(image, label, corner)


def _describe(pose: Pose) -> str:
    score = f"{pose.score:.2f}"
    return score if pose.track_id is None else f"#{pose.track_id} {score}"


def _check(image: Image) -> None:
    if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"image: got shape {image.shape} of {image.dtype}, want (height, width, 3) of uint8"
        )
    if not (image.flags.c_contiguous and image.flags.writeable):
        raise ValueError("image: is read-only or not contiguous, want a copy: image.copy()")
