"""The models of `posewire serve`, which SIGHUP reads again with their options."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any, TypeAlias

from posewire_cli.command.demo_warning import warn_about_serving_demo
from posewire_cli.command.model_on_demand import find_or_fetch_model
from posewire_cli.command.own_model import runner_options
from posewire_server.errors import InputError
from posewire_server.serving.frames.served_model import ServedModel, load_models

_LOG = logging.getLogger(__name__)

# The groups of options, which are dataclasses, by the names of the command's parameters.
OptionGroups: TypeAlias = Mapping[str, Any]
ReadOptions: TypeAlias = Callable[[], OptionGroups]

_MODEL_OPTION = "model"
_NETWORK_GROUP = "network"
_LISTEN_GROUP = "listen"


class ConfiguredModels:
    """Loads the models of the options that the server was started with, and of those read again.

    Of these, `--model` and the options of the network count; the others are fixed at the start.
    `processes`: how many load the models, each with its share of the processors.
    """

    def __init__(
        self, options: OptionGroups, read_options: ReadOptions, *, processes: int = 1
    ) -> None:
        self._started = options
        self._current = options
        self._read_options = read_options
        self._processes = processes

    def load(self) -> list[ServedModel]:
        """Load the models at the start."""
        models = self._load(self._current)
        if self._processes == 1:  # otherwise the parent warns
            warn_about_serving_demo(model.name for model in models)
        return models

    def renew(self) -> None:
        """Read the options again for `load`; keep the old ones if they cannot be used."""
        with suppress(InputError):
            self._current = self._read_options()

    def read(self, serving: Sequence[ServedModel]) -> list[ServedModel]:
        """Read the options again and load what has changed; the rest of `serving` stays.

        Raises `InputError` for unusable options, and the errors of models.
        """
        options = self._read_options()
        if fixed := list(_changed(self._started, options)):
            _LOG.warning("%s: takes effect at the next start", ", ".join(fixed))
        return self._load(options, serving=serving)

    def _load(
        self, groups: OptionGroups, *, serving: Sequence[ServedModel] = ()
    ) -> list[ServedModel]:
        network = groups[_NETWORK_GROUP]
        names: Sequence[str] = getattr(groups[_LISTEN_GROUP], _MODEL_OPTION)
        models = [find_or_fetch_model(name, network) for name in names]
        _check_names_differ([model.name for model in models])
        options = runner_options(network)
        if self._processes > 1:
            options = options.limit_threads(self._processes)
        return load_models(models, options, serving=serving)


def _changed(before: OptionGroups, after: OptionGroups) -> Iterator[str]:
    """Yield the options that differ, except those that are read again."""
    for group, options in before.items():
        for field in fields(options):
            is_read = group == _NETWORK_GROUP or field.name == _MODEL_OPTION
            if not is_read and getattr(options, field.name) != getattr(after[group], field.name):
                yield f"--{field.name.replace('_', '-')}"


def _check_names_differ(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--model: got {names.count(name)} models named {name}, want different names; "
                "rename the file of one"
            )
