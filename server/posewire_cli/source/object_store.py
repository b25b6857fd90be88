"""Finds images in object stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from posewire_cli.source.image_files import SUFFIXES
from posewire_cli.source.source_image import SourceImage, absent_image, stem_of
from posewire_ray.object_store import list_files, read_file


def find_objects(address: str, recursive: bool) -> Iterator[SourceImage]:
    """Yield the image at an address such as s3://bucket/key, or the sorted ones below it."""
    try:
        names = list_files(address, recursive=recursive)
    except OSError as error:
        yield absent_image(address, error.strerror or str(error))
        return
    if names is None:
        yield _image(address, os.path.basename(address))
        return
    names = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if not names:
        yield absent_image(address, f"no images found, want {', '.join(SUFFIXES)}")
    for name in names:
        yield _image(f"{address.rstrip('/')}/{name}", name)


def _image(address: str, below: str) -> SourceImage:
    return SourceImage(address, stem_of(PurePosixPath(below)), partial(read_file, address))
