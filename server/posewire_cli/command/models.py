"""`posewire models`: what there is, fetching, converting, and where it lies."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from posewire_server.models.errors import FetchError

if TYPE_CHECKING:
    from posewire_server.models.catalog_entry import CatalogEntry

MIRROR_VARIABLE = "POSEWIRE_MIRROR"

_Subparsers = argparse._SubParsersAction


def add_to(subparsers: _Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "models",
        help="list, fetch and convert models",
        description="List, fetch and convert models.",
        epilog="example: posewire models list",
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_list(actions)
    _add_fetch(actions)
    _add_convert(actions)
    _add_path(actions)


def _add_list(actions: _Subparsers[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "list",
        help="show the models there are and which are installed",
        description="Show the models that posewire knows by name, and which are installed.",
        epilog="example: posewire models list --json",
    )
    parser.add_argument("--json", action="store_true", help="everything known, as JSON")
    _add_cache(parser)
    parser.set_defaults(run=_list)


def _add_fetch(actions: _Subparsers[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "fetch",
        help="download a model and make it ready to run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Download a model, verify its checksum, convert it if need be, and print its path.

            A transfer that was cut goes on where it was. Proxies are taken from HTTPS_PROXY,
            HTTP_PROXY, ALL_PROXY and NO_PROXY, certificates from SSL_CERT_FILE."""),
        epilog=textwrap.dedent("""\
            A mirror holds each file at MIRROR/NAME/FILE, as the cache directory does at
            CACHE/NAME/FILE: serve the cache of a machine that has fetched the model, for instance
            by `python -m http.server --directory CACHE`. `posewire models list --json` names the
            files.

            example: posewire models fetch higher-hrnet-w32 --precision fp16"""),
    )
    _add_name(parser)
    _add_precision(parser)
    parser.add_argument(
        "--mirror",
        metavar="URL",
        help=f"download from here and nowhere else (default: ${MIRROR_VARIABLE}, else the "
        "publisher's address)",
    )
    parser.add_argument("--force", action="store_true", help="download again what is there already")
    _add_cache(parser)
    parser.set_defaults(run=_fetch)


def _add_convert(actions: _Subparsers[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "convert",
        help="make a network of a HigherHRNet checkpoint of your own",
        description="Make an OpenVINO network of a PyTorch checkpoint of HigherHRNet and print "
        "its path. PyTorch is not needed and nothing in the checkpoint is executed.",
        epilog="example: posewire models convert --checkpoint pose_higher_hrnet_w48_640.pth",
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, required=True, help="what torch.save wrote"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="where the .xml and the .bin go (default: the cache, where the model is found by its "
        "name)",
    )
    _add_precision(parser)
    _add_cache(parser)
    parser.set_defaults(run=_convert)


def _add_path(actions: _Subparsers[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "path",
        help="print where an installed model lies",
        description="Print the path of an installed model's .xml file.",
        epilog="example: posewire models path demo",
    )
    _add_name(parser)
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16"),
        help="of the weights (default: what is installed, fp32 if both are)",
    )
    _add_cache(parser)
    parser.set_defaults(run=_path)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `posewire models list` shows it")


def _add_precision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16"),
        default="fp32",
        help="of the weights; fp16 takes half the room (default: fp32)",
    )


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache",
        metavar="DIR",
        type=Path,
        help="where models lie (default: $POSEWIRE_CACHE, else posewire in the user's cache "
        "directory)",
    )


def _list(options: argparse.Namespace) -> int:
    from posewire_cli.command.models_table import as_json, as_table
    from posewire_server.models.cache import cache_directory

    shown = as_json if options.json else as_table
    print(shown(_catalog(options).values(), cache=cache_directory(options.cache)))
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from posewire_cli.command.progress_bar import ProgressBar
    from posewire_server.models.fetch import Source, fetch_model
    from posewire_server.models.installed import known_entry

    with ProgressBar() as bar:
        path = fetch_model(
            known_entry(options.name, catalog=_catalog(options)),
            cache=options.cache,
            precision=options.precision,
            source=Source(mirror=_mirror(options.mirror), progress=bar.show),
            force=options.force,
        )
    print(path)
    return 0


def _mirror(given: str | None) -> str | None:
    mirror = given or os.environ.get(MIRROR_VARIABLE) or None
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise FetchError(f"mirror: got {mirror!r}, want an address, http:// or https://")
    return mirror


def _convert(options: argparse.Namespace) -> int:
    if options.out is None:
        from posewire_server.models.fetch import install_checkpoint

        path = install_checkpoint(
            options.checkpoint, cache=options.cache, precision=options.precision
        )
    else:
        from posewire_server.models.convert import convert_checkpoint

        path = convert_checkpoint(
            options.checkpoint, directory=options.out, precision=options.precision
        )
    print(path)
    return 0


def _path(options: argparse.Namespace) -> int:
    from posewire_server.models.cache import cache_directory
    from posewire_server.models.catalog_entry import PRECISIONS
    from posewire_server.models.installed import installed_entry, known_entry

    entry = known_entry(options.name, catalog=_catalog(options))
    wanted = PRECISIONS if options.precision is None else (options.precision,)
    cache = cache_directory(options.cache)
    print(installed_entry(entry, cache=cache, precisions=wanted).path)
    return 0


def _catalog(options: argparse.Namespace) -> Mapping[str, CatalogEntry]:
    # Imported where it is needed, like all that brings NumPy: `posewire --help` is to be quick.
    from posewire_server.models.catalog import CATALOG

    return (
        CATALOG if options.catalog is None else cast("Mapping[str, CatalogEntry]", options.catalog)
    )
