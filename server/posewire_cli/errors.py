"""Errors of the command line.

InputError
├── UsageError            wrong or conflicting options; exit code 2
├── SourceError           a source without images or frames
├── OutputError           an output that cannot be written or shown
├── TargetError           a server that rejects a request or cannot be reached
└── OwnServerError        a server of this command that did not start
"""

from __future__ import annotations

from posewire_server.errors import InputError


class UsageError(InputError):
    """Wrong or conflicting options; exit code 2."""


class SourceError(InputError):
    """A source without images or frames."""


class OutputError(InputError):
    """An output that cannot be written or shown."""


class TargetError(InputError):
    """A server that rejects a request or cannot be reached."""


class OwnServerError(InputError):
    """A server of this command that did not start."""
