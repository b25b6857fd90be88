"""The command `posewire`: runs a subcommand and reports its errors."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from posewire_cli.errors import UsageError
from posewire_cli.logs import show_logs
from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError
from posewire_server.serving.scheduling.allocator import keep_large_blocks

_LOG = logging.getLogger(__name__)

_USAGE = 2
_INTERRUPTED = 128 + 2  # SIGINT, as shells report it
_BROKEN_PIPE = 128 + 13  # SIGPIPE
_EVALUATION_PACKAGES = ("pycocotools",)
_RAY_PACKAGES = ("fsspec", "pyarrow", "ray")
_CLIENT_COMMANDS = ("predict", "stream", "bench")  # which need only the extra cli with --server
_SILENT = {
    "GRPC_VERBOSITY": "NONE",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # FFmpeg's AV_LOG_QUIET
}


def main(
    arguments: Sequence[str] | None = None,
    *,
    before_command: Callable[[], object] = lambda: None,
) -> int:
    """Run one subcommand and return its exit code.

    `before_command` is called once the subcommand is imported and its arguments are read. A failure
    prints one line on stderr; its exit code is 1, or 2 for wrong usage.
    """
    verbose, words = _take_verbose(sys.argv[1:] if arguments is None else arguments)
    # Before the command is imported, and with it the libraries that read these settings.
    if verbose:
        show_logs()
        _log_versions()
    else:
        _silence_libraries()
    keep_large_blocks()  # before other threads start
    try:
        from posewire_cli.command.app import run  # reported below if cyclopts is missing

        code = run(words, before_command)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", code=_INTERRUPTED)
    except BrokenPipeError:
        # Python would complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except UsageError as error:
        return _fail(str(error), code=_USAGE)
    except ImportError as error:
        line = _describe_missing_package(error, words)
        if line is None:
            raise
        return _fail(line, trace=verbose)
    except (InputError, ModelError, OSError) as error:
        return _fail(_describe(error), trace=verbose)


def _take_verbose(words: Sequence[str]) -> tuple[bool, list[str]]:
    """Remove --verbose from the words, up to one that is --: the rest are names."""
    options = [*itertools.takewhile(lambda word: word != "--", words)]
    kept = [word for word in options if word != "--verbose"]
    return len(kept) < len(options), [*kept, *words[len(options) :]]


def _log_versions() -> None:
    import platform
    from importlib.metadata import version

    system = f"Python {platform.python_version()}, {platform.platform()}"
    _LOG.info("posewire %s, %s", version("posewire"), system)


def _silence_libraries() -> None:
    """Keep the lines of gRPC's core, OpenCV and FFmpeg off stderr.

    Also the warnings of posewire's client, which the command shows in its own way.
    """
    for name, value in _SILENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("posewire_client").addHandler(logging.NullHandler())


def _fail(line: str, *, code: int = 1, trace: bool = False) -> int:
    if trace:
        traceback.print_exc()
    print(f"posewire: {line}", file=sys.stderr)
    return code


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _describe_missing_package(error: ImportError, words: Sequence[str]) -> str | None:
    """Return None for any other fault, such as a missing module of posewire itself."""
    # Cyclopts raises its own ImportError from that of a command's module.
    missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
    if not isinstance(missing, ModuleNotFoundError):
        return None
    package = (missing.name or "").partition(".")[0]
    if not package or package.startswith("posewire"):
        return None
    return f"this needs the package {package}; {_describe_remedy(package, words)}"


def _describe_remedy(package: str, words: Sequence[str]) -> str:
    """Name the extra that the command line `words` needs."""
    command = next((word for word in words if not word.startswith("-")), None)
    has_server = any(word.partition("=")[0] == "--server" for word in words)
    if package in _EVALUATION_PACKAGES:
        return "run: pip install 'posewire[eval]'"
    if package in _RAY_PACKAGES:
        return "run: pip install 'posewire[ray]'"
    if command is None or (command in _CLIENT_COMMANDS and has_server):
        return "run: pip install 'posewire[cli]'"
    other = ", or name a running server by --server" if command in _CLIENT_COMMANDS else ""
    return f"run: pip install 'posewire[server]'{other}"
