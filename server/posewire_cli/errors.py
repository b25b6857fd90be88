"""Errors of the command line.

InputError
├── SourceError           a source without images or frames
├── OutputError           a file that cannot be written
├── TargetError           a server that does not answer as it should
└── OwnServerError        a server of this process that did not start
"""

from __future__ import annotations

from posewire_server.errors import InputError


class SourceError(InputError):
    """A source without images or frames."""


class OutputError(InputError):
    """A file that cannot be written."""


class TargetError(InputError):
    """A server that does not answer as it should."""


class OwnServerError(InputError):
    """A server of this process that did not start."""
