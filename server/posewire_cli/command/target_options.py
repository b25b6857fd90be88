"""Options that name a running server, or a model to run locally."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from posewire_cli.command.credential_options import CredentialOptions
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.option_types import Patience, changed_options, check_server_target
from posewire_cli.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


TARGET = Group("Server", sort_key=1)


@Parameter(name="*", group=TARGET)
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    model: str | None = None
    """Model name, fetched on first use (see posewire models list), or .xml or .onnx file."""

    server: Annotated[str | None, Parameter(validator=check_server_target)] = None
    """Address HOST:PORT of a running server (default: run --model locally)."""

    retry_for: Patience | None = None
    """Seconds to wait for an unreachable server, or inf (default: 5 to connect, then 30)."""

    credentials: CredentialOptions = field(default_factory=CredentialOptions)

    network: NetworkOptions = field(default_factory=NetworkOptions)

    def check(self, *local: DataclassInstance) -> None:
        """Raise `UsageError` unless the options name one target.

        `local`: further options that do not apply to a running server.
        """
        if self.server is None:
            if self.model is None:
                raise UsageError("one of --model and --server is required")
            if self.retry_for is not None:
                raise UsageError("--retry-for: only with --server")
            if changed := changed_options(self.credentials):
                raise UsageError(f"{', '.join(changed)}: only with --server")
            return
        changed = [name for each in (*local, self.network) for name in changed_options(each)]
        if changed:
            raise UsageError(f"{', '.join(changed)}: not with --server, which has its own settings")

    def model_files(self) -> list[Path]:
        """Return the files of a model that is given by its path."""
        if self.server is not None or self.model is None:
            return []
        return [Path(self.model), Path(self.model).with_suffix(".bin")] if self.model else []
