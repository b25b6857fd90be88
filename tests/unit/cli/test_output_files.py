from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from posewire_cli.errors import OutputError
from posewire_cli.output.output_files import OutputFile, check_outputs
from posewire_cli.output.whole_file import write_whole


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "own.mp4"
    path.write_bytes(b"frames")
    return path


def check(*paths: Path, source: Path, overwrite: bool = False, makes: bool = False) -> None:
    outputs = [OutputFile("--out", path, makes_directories=makes) for path in paths]
    check_outputs(outputs, inputs=[source], overwrite=overwrite)


def by_name(source: Path) -> Path:
    return source.parent / "." / source.name


def by_symbolic_link(source: Path) -> Path:
    link = source.with_name("link.mp4")
    link.symlink_to(source)
    return link


def by_hard_link(source: Path) -> Path:
    link = source.with_name("hard.mp4")
    link.hardlink_to(source)
    return link


def by_directory_link(source: Path) -> Path:
    (source.parent / "other").symlink_to(source.parent)
    return source.parent / "other" / source.name


@pytest.mark.parametrize("same", [by_name, by_symbolic_link, by_hard_link, by_directory_link])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_input_is_no_output_by_any_name(source: Path, same: object, overwrite: bool) -> None:
    assert callable(same)
    with pytest.raises(OutputError, match=r"--out: .* would overwrite the input .*own\.mp4"):
        check(same(source), source=source, overwrite=overwrite)


def test_other_files_are_replaced_on_request_only(source: Path) -> None:
    existing = [source.with_name(f"{number}.json") for number in range(5)]
    for path in existing:
        path.touch()
    named = ", ".join(map(str, existing[:3]))
    message = re.escape(f"--out: {named} and 2 more exist already, want new names, or --overwrite")
    with pytest.raises(OutputError, match=message):
        check(*existing, source=source)
    check(*existing, source=source, overwrite=True)


def test_a_link_that_leads_nowhere_counts_as_a_file(source: Path) -> None:
    link = source.with_name("results.json")
    link.symlink_to(source.with_name("gone.json"))
    with pytest.raises(OutputError, match="exists already"):
        check(link, source=source)


def test_a_journal_is_resumed(source: Path) -> None:
    journal = source.with_name("x.journal")
    journal.touch()
    output = OutputFile("--results", journal, is_resumed=True)
    check_outputs([output], inputs=[source], overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_directories_and_pipes_are_not_replaced(source: Path, overwrite: bool) -> None:
    (source.parent / "folder").mkdir()
    os.mkfifo(source.parent / "pipe")
    for name, kind in (("folder", "is a directory"), ("pipe", "is a device, pipe or socket")):
        with pytest.raises(OutputError, match=f"--out .*{name}: {kind}, want the name of a file"):
            check(source.parent / name, source=source, overwrite=overwrite)


def test_a_directory_that_is_missing_is_an_error_unless_it_is_made(source: Path) -> None:
    path = source.parent / "no" / "dir" / "o.mp4"
    with pytest.raises(OutputError, match="no/dir: No such file or directory; want a directory"):
        check(path, source=source)
    check(path, source=source, makes=True)
    with pytest.raises(OutputError, match=r"own\.mp4: Not a directory"):
        check(source / "o.png", source=source, makes=True)
    assert list(source.parent.iterdir()) == [source]


def test_a_directory_that_takes_no_files_is_an_error(source: Path) -> None:
    # /proc refuses new files even to root.
    with pytest.raises(OutputError, match=r"--out /proc/o\.mp4: cannot be written: /proc: "):
        check(Path("/proc/o.mp4"), source=source)


def test_two_outputs_never_have_one_name(source: Path) -> None:
    path = source.with_name("a.png")
    outputs = [OutputFile("--annotated", path, "a.jpg"), OutputFile("--annotated", path, "a.bmp")]
    message = r"--annotated of a\.jpg and --annotated of a\.bmp: both would be written to .*a\.png"
    with pytest.raises(OutputError, match=message):
        check_outputs(outputs, inputs=[], overwrite=True)
    with pytest.raises(OutputError, match="is the directory of another output"):
        check(
            source.with_name("drawn"), source.parent / "drawn" / "a.png", source=source, makes=True
        )


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path, link = tmp_path / "results.json", tmp_path / "link.json"
    link.symlink_to(path)
    write_whole(link, "[1]")
    assert (path.read_text(), link.is_symlink()) == ("[1]", True)
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "[1]"
    assert sorted(tmp_path.iterdir()) == [link, path]
