from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from posewire_cli.command import main

SUBCOMMANDS = [
    [],
    ["models"],
    ["models", "list"],
    ["models", "fetch"],
    ["models", "convert"],
    ["models", "path"],
    ["eval"],
    ["serve"],
    ["predict"],
    ["stream"],
    ["demo"],
    ["bench"],
]
HEAVY = ("openvino", "cv2", "httpx", "numpy", "pycocotools", "tqdm", "filelock")


def run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "posewire_cli"]
    return subprocess.run(
        [sys.executable, *start, *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=" ".join)
def test_help_has_an_example(subcommand: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*subcommand, "--help"])
    assert caught.value.code == 0
    answer = capsys.readouterr().out
    assert f"usage: posewire {' '.join(subcommand)}".rstrip() in answer
    assert f"example: posewire {' '.join(subcommand)}".rstrip() in answer


@pytest.mark.parametrize(
    "arguments", [[], ["models"], ["models", "fetch"], ["sing"], ["models", "list", "--loud"]]
)
def test_what_is_no_command_is_shown_how_it_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: posewire" in capsys.readouterr().err


def test_help_imports_nothing_that_takes_its_time() -> None:
    code = (
        "import sys; from posewire_cli.command import main\n"
        "try: main(['models', '--help'])\n"
        f"finally: print([each for each in {HEAVY} if each in sys.modules], file=sys.stderr)"
    )
    assert run(code=code).stderr == "[]\n"


def test_the_module_is_the_command() -> None:
    (command,) = entry_points(group="console_scripts", name="posewire")
    assert command.load() is main
    answer = run("--version")
    assert (answer.returncode, answer.stdout) == (0, f"posewire {version('posewire')}\n")


def test_an_error_is_one_line_and_with_verbose_has_its_trace() -> None:
    plain = run("models", "path", "demos")
    assert (plain.returncode, plain.stdout) == (1, "")
    assert plain.stderr.startswith("posewire: 'demos' is not in the catalog; did you mean demo? ")
    assert plain.stderr.count("\n") == 1
    verbose = run("--verbose", "models", "path", "demos")
    assert verbose.returncode == 1
    assert verbose.stderr.startswith("Traceback")
    assert verbose.stderr.endswith(plain.stderr)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "posewire_cli", "models", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


def test_a_package_that_is_missing_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "from posewire_cli.command import main\n"
        "sys.exit(main(['models', 'fetch', 'human-pose-estimation-0005']))"
    )
    answer = run(code=code)
    assert (answer.returncode, answer.stdout) == (1, "")
    wanted = "posewire: this needs the package httpx; run: pip install 'posewire[server]'\n"
    assert answer.stderr == wanted


def test_a_fault_of_our_own_is_not_hidden() -> None:
    code = (
        "import sys; sys.modules['posewire_server.models.catalog'] = None\n"
        "from posewire_cli.command import main\n"
        "main(['models', 'list'])"
    )
    answer = run(code=code)
    assert answer.returncode == 1
    assert answer.stderr.startswith("Traceback")
