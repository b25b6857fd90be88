"""The configuration of `posewire serve`: command line over environment over TOML file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict, Env

from posewire_cli.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_COMMAND = ("serve",)
_PREFIX = "POSEWIRE_SERVE_"
# What the process prints or reads before it has a configuration.
_NOT_IN_FILES = ("config", "print-config")


def add_configuration(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Complete the options of `posewire serve` that the command line leaves out.

    Raises `UsageError` for a variable or key that is no option, and for a file that cannot be read.
    Bad values are reported by cyclopts, with their key and source.
    """
    if commands != _COMMAND:
        return
    _check_variables(arguments)
    Env(_PREFIX, command=False)(app, commands, arguments)
    # The last of several counts, as for all options.
    paths = [token.value for token in arguments.get("--config").tokens]
    if paths:
        values = _read(paths[-1])
        Dict(values, source=paths[-1], use_commands_as_keys=False)(app, commands, arguments)


def write_configuration(*groups: DataclassInstance) -> Iterator[str]:
    """Yield the lines of a TOML file with every option of these groups."""
    for group in groups:
        for field in fields(group):
            name = field.name.replace("_", "-")
            value = getattr(group, field.name)
            if name in _NOT_IN_FILES:
                continue
            yield f"# {name} is not set" if value is None else f"{name} = {_write_value(value)}"


def _check_variables(arguments: ArgumentCollection) -> None:
    known = {_variable_name(name) for each in arguments for name in each.names}
    for variable in sorted(os.environ):
        if variable.startswith(_PREFIX) and variable not in known:
            raise UsageError(
                f"environment variable {variable}: no option of posewire serve has that name"
            )


def _variable_name(option: str) -> str:
    return _PREFIX + option.lstrip("-").replace("-", "_").upper()


def _read(path: str) -> dict[str, Any]:
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"--config {path}: {reason}; want a TOML file of options") from error
    for key in values:
        if key.replace("_", "-") in _NOT_IN_FILES:
            raise UsageError(f"--config {path}: {key} belongs on the command line")
    return values


def _write_value(value: object) -> str:
    if isinstance(value, (str, Path)):
        # JSON's escapes are also TOML's, but TOML wants DEL escaped, too.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Iterable):
        return f"[{', '.join(map(_write_value, value))}]"
    return json.dumps(value)
