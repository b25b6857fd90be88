"""Errors of images.

InputError
└── ImageFileError            a file that is not an image
InvalidArgumentError
├── InvalidImageError         an image that is missing, damaged, too large or contradictory
└── InvalidRegionError        a region of interest without a pixel of the image
"""

from __future__ import annotations

from collections.abc import Mapping

from posewire_server.errors import (
    InputError,
    InvalidArgumentError,
    InvalidArgumentReason,
    Violation,
)


class ImageFileError(InputError):
    """A file that is not an image."""


class InvalidImageError(InvalidArgumentError):
    """An image that is missing, damaged, too large or contradictory."""

    def __init__(
        self,
        field: str,
        reason: InvalidArgumentReason,
        *,
        got: str,
        want: str,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(Violation(field, got, want), reason=reason, limits=limits)


ENCODED_DATA = "image.encoded.data"


def undecodable(got: str, want: str) -> InvalidImageError:
    """Return the error of an image file that cannot be decoded."""
    return InvalidImageError(ENCODED_DATA, "IMAGE_UNDECODABLE", got=got, want=want)


class InvalidRegionError(InvalidArgumentError):
    """A region of interest without a pixel of the image."""
