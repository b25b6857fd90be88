"""What README.md and docs/ show can be run, and shows what the programs contain."""

from __future__ import annotations

import doctest
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from posewire_cli.command import main
from posewire_server.sample import CLIP, STILL
from tests.docs.code_blocks import PAGES, ROOT, CodeBlock, code_blocks
from tests.reference.scenes import scene

TIMEOUT = 120
PORT = "50051"
BLOCKS = [block for page in PAGES for block in code_blocks(page)]
RUN = ("python", "sh")
EXCERPTS = {
    "cpp": "clients/cpp/**/*.cpp",
    "cmake": "clients/cpp/**/CMakeLists.txt",
    "go": "clients/go/**/*.go",
}
SHOWN = ("text", "json", "toml", "yaml")
INCLUDE = '--8<-- "examples/'


def is_program(block: CodeBlock) -> bool:
    """Whether the block stands for a file of examples/, which has tests of its own."""
    return block.text.startswith(INCLUDE)


def runs_with_page(block: CodeBlock) -> bool:
    return block.language in RUN and block.is_run and not block.needs and not is_program(block)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what the pages speak of, and the repository's files."""
    for each in ROOT.iterdir():
        if not each.name.startswith(".") and each.name != "build":
            (tmp_path / each.name).symlink_to(each)
    shutil.copy(STILL, tmp_path / "people.jpg")
    (tmp_path / "photos").mkdir()
    shutil.copy(STILL, tmp_path / "photos" / "people.jpg")
    shutil.copy(CLIP, tmp_path / "video.mp4")
    painted = scene("separated", 1)
    np.savez(tmp_path / "maps.npz", heatmaps=painted.heatmaps, tags=painted.tags)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    return tmp_path


def run_shell(text: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_python(block: CodeBlock, text: str, names: dict[str, str]) -> str:
    in_place = "\n" * (block.line - 1) + text  # for tracebacks
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(in_place, block.page, "exec"), names)
    return printed.getvalue()


def check_output(block: CodeBlock, output: str) -> None:
    fits = doctest.OutputChecker().check_output(block.text, output, doctest.ELLIPSIS)
    assert fits, f"{block} shows\n{block.text}but this is printed:\n{output}"


@contextmanager
def running(command: str) -> Iterator[str]:
    """Start the command, yield the port of its server, and check that it stops with status 0."""
    exact = command.partition("#")[0].replace(PORT, "0")
    with subprocess.Popen(["bash", "-c", f"exec {exact}"], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline().decode()
            assert ready.startswith("posewire serves at ")
            yield ready.strip().rpartition(":")[2]
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(TIMEOUT) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path, workplace: Path) -> None:
    names = {"__name__": "__main__"}
    port, output = PORT, ""
    with ExitStack() as servers:
        for block in code_blocks(page):
            text = block.text.replace(PORT, port)
            if block.is_output:
                check_output(block, output)
            elif not runs_with_page(block):
                continue
            elif block.language == "python":
                output = run_python(block, text, names)
            elif text.startswith("posewire serve"):
                port = servers.enter_context(running(block.text))
            else:
                output = run_shell(text)


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.needs], ids=str)
def test_a_block_that_needs_programs_runs_where_they_are(block: CodeBlock, workplace: Path) -> None:
    missing = [program for program in block.needs if shutil.which(program) is None]
    if missing:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"not installed: {missing}")
    assert block.language == "sh"
    run_shell(block.text)


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language in EXCERPTS], ids=str)
def test_an_excerpt_is_what_a_program_says(block: CodeBlock) -> None:
    sources = ROOT.glob(EXCERPTS[block.language])
    assert any(block.text in source.read_text() for source in sources)


def test_readme_shows_a_call_in_every_language() -> None:
    languages = {block.language for block in code_blocks(ROOT / "README.md")}
    assert languages >= {"python", "sh", "cpp", "go"}


def test_the_language_of_every_block_is_known() -> None:
    strange = [str(each) for each in BLOCKS if each.language not in (*RUN, *EXCERPTS, *SHOWN)]
    assert strange == []


def test_what_is_included_exists() -> None:
    included = [block for block in BLOCKS if is_program(block)]
    assert included
    for block in included:
        name = block.text.removeprefix(INCLUDE).strip().removesuffix('"')
        assert (ROOT / "examples" / name).is_file(), block


def test_files_of_options_are_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [block for block in BLOCKS if block.text.startswith("# posewire.toml\n")]
    assert files
    for block in files:
        path = tmp_path / "posewire.toml"
        path.write_text(block.text)
        assert main(["serve", "--config", str(path), "--print-config"]) == 0, block
        assert capsys.readouterr().out
