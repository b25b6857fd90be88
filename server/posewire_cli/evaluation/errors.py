"""Errors of evaluations.

InputError
└── EvaluationError       nothing to evaluate
    ├── DatasetError      missing images, or no COCO keypoint annotations
    └── JournalError      a journal that is damaged or belongs to another run
"""

from __future__ import annotations

from posewire_server.errors import InputError


class EvaluationError(InputError):
    """Nothing to evaluate."""


class DatasetError(EvaluationError):
    """Missing images, or no COCO keypoint annotations."""


class JournalError(EvaluationError):
    """A journal that is damaged or belongs to another run."""
