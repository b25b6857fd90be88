"""The bundled model in a process of its own: `python -m tests.reference.demo_server`."""

from __future__ import annotations

from functools import partial

from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import load_models
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.serving.server import ServerOptions


def main() -> None:
    keep_large_blocks()
    load = partial(load_models, [installed_model("demo")], RunnerOptions())
    options = ServerOptions(address="127.0.0.1:0")
    serve(load, options, ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()
