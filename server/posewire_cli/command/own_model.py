"""Runs the model of --model locally. Only this module and its users import OpenVINO."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from functools import partial

from posewire_cli.command.model_on_demand import find_or_fetch_model
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.own_server import own_server
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.serving.frames.served_model import load_models

_LOG = logging.getLogger(__name__)


def serve_model(name: str, network: NetworkOptions) -> AbstractContextManager[str]:
    """Run a server for one model until the block ends; yields its address."""
    model = find_or_fetch_model(name, network)
    _LOG.info("starting a server for the model %s in %s", model.name, model.path)
    return own_server(partial(load_models, [model], runner_options(network)))


def runner_options(network: NetworkOptions) -> RunnerOptions:
    """Return the options in OpenVINO's terms."""
    return RunnerOptions(
        device=network.device,
        performance_hint="LATENCY" if network.performance == "latency" else "THROUGHPUT",
        inference_precision_hint=network.inference_precision,
        inference_num_threads=network.threads or 0,
        num_streams=network.streams or 0,
        cache_dir=network.compiled_cache,
    )
