from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from posewire_cli.command import app, main

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
def test_help_is_plain_and_has_an_example(
    subcommand: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*subcommand, "--help"]) == 0
    answer, complaint = capsys.readouterr()
    assert complaint == ""
    assert answer.startswith(f"Usage: posewire {' '.join(subcommand)}".rstrip())
    assert f"Example: posewire {' '.join(subcommand)}".rstrip() in answer
    assert max(map(len, answer.splitlines())) <= 80
    assert answer.isascii()
    assert "\x1b" not in answer


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "no command given\nSee 'posewire --help'"),
        (["models"], "no command given\nSee 'posewire models --help'"),
        (["models", "fetch"], "requires an argument\nSee 'posewire models fetch --help'"),
        (["sing"], "unknown command 'sing'\nSee 'posewire --help'"),
        (["models", "list", "--loud"], "--loud\nSee 'posewire models list --help'"),
        (["models", "path", "a", "b"], "['b']\nSee 'posewire models path --help'"),
        (
            ["serve", "--model", "demo", "--address", "127.0.0.1"],
            "--address. got '127.0.0.1' without",
        ),
        (["serve", "--model", "demo", "--address", ":70000"], "--address. got ':70000'"),
        (["serve", "--model", "demo", "--tls-cert", "c"], "got only one of them, want both"),
        (["serve", "--model", "demo", "--tls-client-ca", "c"], "--tls-client-ca: only with"),
        (["predict", "--server", "127.0.0.1:99999", "x.png"], "--server. got '127.0.0.1:99999'"),
        (["predict", "--server", "", "x.png"], "--server. got '', want HOST:PORT"),
        (["predict", "--server", "localhost:1", ""], "got an empty image name, want a file"),
        (["models", "path", "a", "--precision", "x"], "\nSee 'posewire models path --help'"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_named_and_pointed_to_help(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("posewire: ")
    assert complaint in err


@pytest.mark.parametrize(
    ("arguments", "slow"),
    [
        (["--help"], HEAVY),
        (["models", "--help"], HEAVY),
        (["models", "list"], HEAVY),
        (["sing"], HEAVY),
        (["predict", "--server", "localhost:1", "no-such-file"], ("openvino", "httpx")),
    ],
)
def test_nothing_slow_is_imported_without_need(arguments: list[str], slow: tuple[str, ...]) -> None:
    code = (
        "import sys; from posewire_cli.command import main\n"
        f"main({arguments}); print([each for each in {slow} if each in sys.modules])"
    )
    assert run(code=code).stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command() -> None:
    answer = run("--version")
    assert (answer.returncode, answer.stdout) == (0, f"posewire {version('posewire')}\n")


def test_an_error_is_one_line_and_with_verbose_has_its_trace() -> None:
    plain = run("models", "path", "demos")
    assert (plain.returncode, plain.stdout) == (1, "")
    assert plain.stderr.startswith("posewire: 'demos' is not in the catalog; did you mean demo? ")
    assert plain.stderr.count("\n") == 1
    command = ["models", "path", "demos"]
    for i in range(len(command) + 1):
        verbose = run(*command[:i], "--verbose", *command[i:])
        assert verbose.returncode == 1
        assert (
            f"INFO posewire_cli.command: posewire {version('posewire')}, Python"
            in (verbose.stderr.splitlines()[0])
        )
        assert "\nTraceback" in verbose.stderr
        assert verbose.stderr.endswith(plain.stderr)


def test_a_file_may_be_called_verbose() -> None:
    answer = run("predict", "--server", "localhost:1", "--", "--verbose")
    assert answer.stderr.startswith("posewire: --verbose: no such file")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "posewire_cli", "models", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("package", ["httpx", "cyclopts"])
def test_a_package_that_is_missing_is_named_with_its_extra(package: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from posewire_cli.command import main\n"
        "sys.exit(main(['models', 'fetch', 'human-pose-estimation-0005']))"
    )
    answer = run(code=code)
    assert (answer.returncode, answer.stdout) == (1, "")
    remedy = "run: pip install 'posewire[server]'"
    assert answer.stderr == f"posewire: this needs the package {package}; {remedy}\n"


OR_SERVER = "[server]', or name a running server by --server"


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("cyclopts", ["--help"], "[cli]'"),
        ("cv2", ["predict", "--server=localhost:1", "x.png"], "[cli]'"),
        ("tqdm", ["bench", "--server", "localhost:1"], "[cli]'"),
        ("openvino", ["serve", "--model", "demo"], "[server]'"),
        ("openvino", ["eval", "--server", "localhost:1"], "[server]'"),
        ("openvino", ["stream", "--model", "demo", "x.mp4"], OR_SERVER),
        ("pycocotools.coco", ["eval", "--model", "demo"], "[eval]'"),
    ],
)
def test_the_extra_depends_on_the_command(
    package: str,
    arguments: list[str],
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run_without(words: list[str], *_: object) -> int:
        raise ModuleNotFoundError(name=package)

    monkeypatch.setattr(app, "run", run_without)
    assert main(arguments) == 1
    remedy = f"run: pip install 'posewire{extra}"
    name = package.partition(".")[0]
    assert capsys.readouterr().err == f"posewire: this needs the package {name}; {remedy}\n"


def test_a_fault_of_our_own_is_not_hidden() -> None:
    code = (
        "import sys; sys.modules['posewire_server.models.catalog'] = None\n"
        "from posewire_cli.command import main\n"
        "main(['models', 'list'])"
    )
    answer = run(code=code)
    assert answer.returncode == 1
    assert answer.stderr.startswith("Traceback")


def test_a_region_inside_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--server", "localhost:1", "--region", "9,9,1,1", "x.png"]) == 2
    assert "got '9,9,1,1', want X0 <= X1 and Y0 <= Y1" in capsys.readouterr().err


def test_a_missing_certificate_ends_serve_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing.pem")
    arguments = ["serve", "--model", "demo", "--address", "127.0.0.1:0"]
    assert main([*arguments, "--tls-cert", missing, "--tls-key", missing]) == 1
    out, err = capsys.readouterr()
    fault = "cannot be read (No such file or directory)"
    assert (out, err) == ("", f"posewire: TLS certificate {missing}: {fault}\n")


def test_tokens_without_tls_need_an_option_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text("colour = 1")
    arguments = ["serve", "--model", "demo", "--tokens", str(tokens), "--address"]
    assert main([*arguments, "0.0.0.0:0"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"tokens {tokens}: callers would send them unencrypted to 0.0.0.0:0; want TLS" in err
    for allowed in (["0.0.0.0:0", "--insecure-tokens"], ["[::1]:0"], ["localhost:0"]):
        assert main([*arguments, *allowed]) == 1
        out, err = capsys.readouterr()
        assert f"posewire: tokens {tokens}: unknown key 'colour'" in err
