"""The command `posewire`; each module beside this one has one of its subcommands."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError

if TYPE_CHECKING:
    from posewire_server.models.catalog_entry import CatalogEntry

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it
_BROKEN_PIPE = 141  # 128 and the number of SIGPIPE
_EVALUATION_PACKAGES = ("pycocotools",)
_SILENT = {
    "GRPC_VERBOSITY": "NONE",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # FFmpeg's AV_LOG_QUIET
}


def main(
    arguments: Sequence[str] | None = None, *, catalog: Mapping[str, CatalogEntry] | None = None
) -> int:
    """Runs one subcommand; what goes wrong is one line on stderr and the exit code 1.

    `catalog` stands for posewire's own.
    """
    options = _parser().parse_args(arguments, argparse.Namespace(catalog=catalog))
    if options.verbose:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    else:
        _silence_libraries()
    run = cast("Callable[[argparse.Namespace], int]", options.run)
    try:
        code = run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _failed("interrupted", code=_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read stdout has gone, and Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except ModuleNotFoundError as error:
        line = _missing_package(error)
        if line is None:
            raise
        return _failed(line, trace=options.verbose)
    except (InputError, ModelError, OSError) as error:
        return _failed(_one_line(error), trace=options.verbose)


def _silence_libraries() -> None:
    """An error is to be one line, to which gRPC's core, OpenCV and FFmpeg would add their own."""
    for name, value in _SILENT.items():
        os.environ.setdefault(name, value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posewire",
        description="Frames in, typed multi-person poses out.",
        epilog="example: posewire models fetch human-pose-estimation-0005",
    )
    parser.add_argument("--version", action="version", version=f"posewire {version('posewire')}")
    parser.add_argument(
        "--verbose", action="store_true", help="log what is done, and errors with their trace"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_subcommands(subparsers)
    return parser


def _add_subcommands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from posewire_cli.command import bench, demo, evaluate, models, predict, serve, stream

    for each in (demo, predict, stream, serve, models, evaluate, bench):
        each.add_to(subparsers)


def _failed(line: str, *, code: int = 1, trace: bool = False) -> int:
    if trace:
        traceback.print_exc()
    print(f"posewire: {line}", file=sys.stderr)
    return code


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _missing_package(error: ModuleNotFoundError) -> str | None:
    """None if it is a module of posewire, which no package brings."""
    package = (error.name or "").partition(".")[0]
    if not package or package.startswith("posewire"):
        return None
    extra = "eval" if package in _EVALUATION_PACKAGES else "server"
    return f"this needs the package {package}; run: pip install 'posewire[{extra}]'"
