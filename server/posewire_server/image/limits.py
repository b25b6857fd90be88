"""Limits on the size of images."""

from __future__ import annotations

from dataclasses import dataclass

from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """The largest image that the server accepts: bytes as sent, and pixels once decoded.

    The defaults admit 4K BGRA and 8K JPEG images; that of `max_side` is the longest side that a
    JPEG can have. Resizing needs memory for every row and column, so a line of millions of pixels
    costs far more than a square of as many.
    """

    max_bytes: int = 32 << 20
    max_pixels: int = 1 << 25
    max_side: int = 65_535

    def check_bytes(self, field: str, data: bytes) -> None:
        """Raise `InvalidImageError` if the data of `field` is too long."""
        if len(data) > self.max_bytes:
            raise InvalidImageError(
                field,
                "IMAGE_TOO_LARGE",
                got=f"{len(data)} bytes",
                want=f"at most {self.max_bytes}",
                limits={"max_image_bytes": self.max_bytes},
            )

    def check_size(self, field: str, size: Size) -> None:
        """Raise `InvalidImageError` if the size that `field` claims is too large.

        Call this before anything is allocated for an image of that size.
        """
        if size.width * size.height > self.max_pixels:
            raise InvalidImageError(
                field,
                "IMAGE_TOO_LARGE",
                got=f"{size.width}x{size.height} = {size.width * size.height} pixels",
                want=f"at most {self.max_pixels}",
                limits={"max_image_pixels": self.max_pixels},
            )
        if max(size) > self.max_side:
            raise InvalidImageError(
                field,
                "IMAGE_TOO_LARGE",
                got=f"{size.width}x{size.height} pixels",
                want=f"at most {self.max_side} on a side",
                limits={"max_image_side": self.max_side},
            )
