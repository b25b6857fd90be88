from __future__ import annotations

from pathlib import Path

import pytest

from posewire_cli.output.runs import SavedNotice, create_run, next_run


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_are_numbered_from_the_second_on() -> None:
    assert next_run() == Path("runs/predict")
    assert [create_run() for _ in range(3)] == [
        Path("runs/predict"),
        Path("runs/predict2"),
        Path("runs/predict3"),
    ]
    assert next_run() == Path("runs/predict4")


def test_a_number_that_is_free_is_taken() -> None:
    for name in ("predict", "predict3"):
        Path("runs", name).mkdir(parents=True)
    assert create_run() == Path("runs/predict2")


def test_a_file_called_runs_is_an_error() -> None:
    Path("runs").touch()
    with pytest.raises(OSError, match="runs"):
        create_run()


def test_the_directory_is_printed_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    directory = create_run()
    (directory / "a.png").touch()
    SavedNotice(directory, to_stderr=False).close()
    assert capsys.readouterr().out == "Saved to runs/predict\n"


def test_an_empty_directory_does_not_stay(capsys: pytest.CaptureFixture[str]) -> None:
    directory = create_run()
    SavedNotice(directory, to_stderr=False).close()
    assert not directory.exists()
    assert capsys.readouterr().out == ""
