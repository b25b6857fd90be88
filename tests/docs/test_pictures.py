"""The pictures of docs/pictures are shown, small, and of commands as they are."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from docs.pictures.make import CALL, COMMANDS, HERE, MAX_BYTES, SERVE
from docs.pictures.terminal import Step, render
from posewire_cli.command import main
from posewire_cli.command.app import app

PICTURES = sorted(path for path in HERE.iterdir() if path.suffix in (".svg", ".jpg"))
PAGE = HERE.parent / "command_line.md"
TYPED = [*COMMANDS.values(), SERVE, CALL]


def lines(document: str) -> list[str]:
    texts = ElementTree.fromstring(document).iter("{http://www.w3.org/2000/svg}text")
    return [text.text or "" for text in texts]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < MAX_BYTES
    assert f"(pictures/{picture.name})" in PAGE.read_text()


@pytest.mark.parametrize("name", [*COMMANDS, "serve"])
def test_each_command_has_a_picture_of_itself(name: str) -> None:
    shown = lines((HERE / f"{name}.svg").read_text())
    typed = [SERVE + " &", CALL] if name == "serve" else [COMMANDS[name]]
    assert all(command in shown for command in typed)


@pytest.mark.parametrize("command", TYPED)
def test_a_command_is_understood(command: str) -> None:
    if "--help" not in command:
        app.parse_args(command.split()[1:], exit_on_error=False, print_error=False)


def test_the_help_is_that_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines((HERE / "help.svg").read_text())[2:] == printed, "run make pictures"


def test_output_is_rendered_as_it_is() -> None:
    document = render([Step("cat <&>", "a  b\n\n  <c> & d\n"), Step("kill %1", "")])
    assert lines(document) == ["$", "cat <&>", "a  b", "<c> & d", "$", "kill %1"]


def test_a_long_line_is_wrapped() -> None:
    shown = lines(render([Step("x", "word " * 40)]))
    assert len(shown) == 2 + 3
    assert max(map(len, shown)) <= 88
