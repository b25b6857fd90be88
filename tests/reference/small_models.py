"""Catalog entries of small files, and processes that fetch them."""

from __future__ import annotations

import hashlib
import pickle
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from posewire_cli.command.models import fetch, path
from posewire_server.geometry import InputGeometry
from posewire_server.models.catalog_entry import (
    CatalogEntry,
    Converted,
    Origin,
    Prebuilt,
    Precision,
    RemoteFile,
)
from posewire_server.models.fetch.download import Patience
from posewire_server.models.installed import known_entry

HASTE = Patience(connect_secs=5, stall_secs=0.3, delays_secs=(0, 0))
CONTENT = random.Random(1).randbytes(300_000)
XML = b"<?xml version='1.0'?><net/>"


def remote_file(content: bytes, *, path: str, address: str) -> RemoteFile:
    return RemoteFile(path, address, len(content), hashlib.sha384(content).hexdigest())


def entry(origin: Origin, *, name: str = "small") -> CatalogEntry:
    return CatalogEntry(
        name=name,
        summary="A small one",
        licence="Apache-2.0",
        geometry=InputGeometry(size=96, fit="inside", padding="center"),
        delta=(0.25, 0.75),
        accuracy=None,
        origin=origin,
    )


def converted_entry(server: str, *, content: bytes = CONTENT) -> CatalogEntry:
    """Make an entry with the file /small.pth."""
    file = remote_file(content, path="small.pth", address=f"{server}/small.pth")
    return entry(Converted(file))


def prebuilt_entry(server: str) -> CatalogEntry:
    """Make an entry with the files small.xml and small.bin in /fp32 and /fp16."""

    def files(precision: Precision) -> tuple[RemoteFile, ...]:
        contents = {f"{precision}/small.xml": XML, f"{precision}/small.bin": CONTENT}
        return tuple(
            remote_file(content, path=path, address=f"{server}/{path}")
            for path, content in contents.items()
        )

    return entry(Prebuilt({"fp32": files("fp32"), "fp16": files("fp16")}))


def copying_converter(
    checkpoint: Path, *, directory: Path, name: str | None, precision: Precision
) -> Path:
    """Stand in for `convert_checkpoint`, which needs a whole network: copy it to the .bin."""
    (directory / f"{name}.xml").write_text(precision)
    (directory / f"{name}.bin").write_bytes(checkpoint.read_bytes())
    return directory / f"{name}.xml"


def use_catalog_of(model: CatalogEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put that model in the place of the catalog for `posewire models fetch` and `path`."""
    for command in (fetch, path):
        replaced = partial(known_entry, catalog={model.name: model})
        monkeypatch.setattr(command, "known_entry", replaced)


def fetching_process(
    model: CatalogEntry, *arguments: str, before: str = "", pass_fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start `posewire models fetch` with a catalog of that model, after running `before`."""
    code = (
        # A shell starts background processes, and their children, with SIGINT ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"import functools, pickle, sys; {before}\n"
        "from posewire_cli.command import main\n"
        "from posewire_cli.command.models import fetch\n"
        "catalog = pickle.load(sys.stdin.buffer)\n"
        "fetch.known_entry = functools.partial(fetch.known_entry, catalog=catalog)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "models", "fetch", model.name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
    )
    assert process.stdin is not None
    process.stdin.write(pickle.dumps({model.name: model}))
    process.stdin.close()
    process.stdin = None
    return process
