"""`posewire serve`: command line over environment over TOML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from posewire_cli.command import main

ODD_PATH = 'a "b" \\ ü \x7f\t'


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Return the lines of --print-config."""
    code = main(["serve", *arguments, "--print-config"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the first line of the error."""
    code = main(["serve", *arguments, "--print-config"])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    return err.splitlines()[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posewire.toml"
    path.write_text('model = ["demo", "other"]\nmax-streams = 1\nqueue = 1\ngrace = 1\n')
    return path


def test_command_line_comes_before_environment_before_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEWIRE_SERVE_MAX_STREAMS", "2")
    monkeypatch.setenv("POSEWIRE_SERVE_QUEUE", "2")
    lines = printed(capsys, "--config", str(file), "--max-streams", "3")
    assert {"max-streams = 3", "queue = 2", "grace = 1.0"} <= {*lines}
    assert 'model = ["demo", "other"]' in lines


def test_the_environment_may_name_the_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEWIRE_SERVE_CONFIG", str(file))
    assert "queue = 1" in printed(capsys)


def test_flags_and_lists_in_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEWIRE_SERVE_MODEL", "demo other")
    monkeypatch.setenv("POSEWIRE_SERVE_REFLECTION", "true")
    monkeypatch.setenv("POSEWIRE_SERVE_OFFLINE", "no")
    lines = printed(capsys)
    assert {'model = ["demo", "other"]', "reflection = true", "offline = false"} <= {*lines}


def test_what_is_printed_is_a_file_of_the_same_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--model", "demo", "--cache", ODD_PATH, "--threads", "2", "--reflection")
    lines = printed(capsys, *options)
    path = tmp_path / "printed.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert printed(capsys, "--config", str(path)) == lines
    assert {"threads = 2", "# mirror is not set"} <= {*lines}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("max-strems = 3", 'Unknown option: "[max-strems]" from {file}'),
        ("max-streams = 0", 'Invalid value "0" for [max-streams] provided by {file}'),
        ('max-streams = "z"', "Invalid value for [max-streams] from {file}"),
        ('address = "host:70000"', 'Invalid value "host:70000" for [address] provided by {file}'),
        ("[limits]\nqueue = 1", 'Unknown option: "[limits][queue]" from {file}'),
        ("queue", "--config {file}: Expected '='"),
        ("print-config = true", "--config {file}: print-config belongs on the command line"),
    ],
)
def test_a_bad_file_is_refused_by_key_and_source(
    text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(f'model = ["demo"]\n{text}\n')
    assert complaint.format(file=file) in refused(capsys, "--config", str(file))


def test_files_that_cannot_be_read_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.toml"
    assert f"--config {missing}: No such file" in refused(capsys, "--config", str(missing))
    assert f"--config {tmp_path}: Is a directory" in refused(capsys, "--config", str(tmp_path))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff")
    assert f"--config {binary}: 'utf-8'" in refused(capsys, "--config", str(binary))


def test_bad_variables_are_refused_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEWIRE_SERVE_QUEUE", "0")
    assert 'Invalid value "0" for POSEWIRE_SERVE_QUEUE' in refused(capsys, "--model", "demo")
    monkeypatch.setenv("POSEWIRE_SERVE_QEUE", "1")
    assert "environment variable POSEWIRE_SERVE_QEUE: no option" in refused(capsys)


def test_other_commands_are_not_configured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEWIRE_SERVE_CACHE", "/nowhere")
    assert main(["models", "list", "--json"]) == 0
    assert "/nowhere" not in capsys.readouterr().out
