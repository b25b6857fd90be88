"""What can be wrong with what the server is given; for models see models/errors.py.

    InputError(ValueError)
    ├── ImageError           a file that holds no image
    └── EvaluationError      nothing that could be evaluated
        ├── DatasetError     annotations or images that are not what COCO's would be
        └── JournalError     answers of an earlier run that this one cannot go on with

Each message names the file, what was found and what was wanted.
"""

from __future__ import annotations


class InputError(ValueError):
    """Something given that cannot be used."""


class ImageError(InputError):
    """A file that holds no image."""


class EvaluationError(InputError):
    """An evaluation that cannot be made."""


class DatasetError(EvaluationError):
    """Annotations that are not COCO's for keypoints, or images that are not there."""


class JournalError(EvaluationError):
    """Answers of an earlier run that are damaged, or of a run that was another one."""
