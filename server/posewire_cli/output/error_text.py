"""Describes errors of a server in the words of the command line."""

from __future__ import annotations

from posewire_client import PosewireError, StatusError

# Fields of the contract, without the message of a stream that holds them.
_OPTIONS = {
    "model": "--model",
    "delivery_policy": "--delivery",
    "max_frames_in_flight": "--window",
    "max_frame_age": "--max-frame-age",
    "track": "--track",
    "smoothing": "--smooth",
    "options.max_poses": "--max-poses",
    "options.min_pose_score": "--min-pose-score",
    "options.min_keypoint_score": "--min-keypoint-score",
    "options.region_of_interest": "--region",
    "options.refine": "--no-refine",
    "options.flip_test": "--flip-test",
}


def describe_error(error: PosewireError, *, image: str = "image") -> str:
    """Name options instead of fields of a request, and `image` for fields of the image."""
    if not isinstance(error, StatusError) or not error.violations:
        return str(error)
    faults = [(_name_field(each.field, image), each.description) for each in error.violations]
    return "; ".join(f"{name}: {fault}" if name else fault for name, fault in faults)


def _name_field(field: str, image: str) -> str:
    path = field.removeprefix("config.").removeprefix("frame.")
    if path.partition(".")[0] == "image":
        return image
    for known, option in _OPTIONS.items():
        if path == known or path.startswith(f"{known}."):
            side = path.removeprefix(known).lstrip(".")
            return f"{option} {side}".rstrip()
    return field
