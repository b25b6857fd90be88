"""Errors of evaluations.

InputError
└── EvaluationError       nothing to evaluate
    ├── DatasetError      annotations that are not COCO's for keypoints, or missing images
    └── JournalError      a journal that is damaged, or belongs to another run
"""

from __future__ import annotations

from posewire_server.errors import InputError


class EvaluationError(InputError):
    """Nothing to evaluate."""


class DatasetError(EvaluationError):
    """Annotations that are not COCO's for keypoints, or missing images."""


class JournalError(EvaluationError):
    """A journal that is damaged, or belongs to another run."""
