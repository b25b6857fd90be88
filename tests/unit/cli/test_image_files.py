from __future__ import annotations

from pathlib import Path

import pytest

from posewire_cli.errors import SourceError, UsageError
from posewire_cli.source.image_files import find_images, image_ids
from posewire_cli.source.source_image import SourceImage, absent_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", "notes.txt", "deep/c.webp", "deep/d.bmp", "empty/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(folder: Path, *given: str) -> list[str]:
    found = find_images([str(folder / each) for each in given])
    return [str(image.path.relative_to(folder)) for image in found if image.path is not None]


def stems(folder: Path, *given: str) -> list[str]:
    return [image.stem for image in find_images([f"{folder}/{each}" for each in given])]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["a.png"], ["a.png"]),
        (["."], ["a.png", "b.JPG"]),
        (["deep", "a.png"], ["deep/c.webp", "deep/d.bmp", "a.png"]),
        (["*.png"], ["a.png"]),
        (["**/*.[wb]*"], ["deep/c.webp", "deep/d.bmp"]),
        (["notes.txt"], ["notes.txt"]),  # who names a file gets to know what is wrong with it
        (["a.png", "."], ["a.png", "b.JPG"]),
    ],
)
def test_what_is_named_is_found(folder: Path, given: list[str], wanted: list[str]) -> None:
    assert names(folder, *given) == wanted


@pytest.mark.parametrize(
    ("given", "complaint"),
    [("z.png", "no such file"), ("empty", "no images found"), ("*.gif", "no images")],
)
def test_what_is_not_there_has_its_place(folder: Path, given: str, complaint: str) -> None:
    found = find_images([str(folder / each) for each in ("a.png", given, "b.JPG")])
    assert [image.is_absent for image in found] == [False, True, False]
    assert found[1].name == str(folder / given)
    with pytest.raises(SourceError, match=complaint):
        found[1].read()


def test_an_empty_argument_is_refused() -> None:
    with pytest.raises(UsageError, match="got an empty image name, want a file"):
        find_images(["a.png", ""])


def test_directories_are_searched_on_request(folder: Path) -> None:
    (folder / "deep" / "er").mkdir()
    (folder / "deep" / "er" / "e.png").touch()
    (folder / "deep" / "loop").symlink_to(folder)
    found = find_images([str(folder)], recursive=True)
    assert [image.stem for image in found] == ["a", "b", "deep/c", "deep/d", "deep/er/e"]


def test_a_file_may_be_called_like_a_pattern(folder: Path) -> None:
    (folder / "a[1].png").touch()
    assert names(folder, "a[1].png") == ["a[1].png"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["a.png", "deep/c.webp"], ["a", "c"]),
        ([".", "deep"], ["a", "b", "c", "d"]),
        (["**/*.[wb]*"], ["deep/c", "deep/d"]),
        (["deep/*"], ["c", "d"]),
        (["dee[p]/../a.png"], ["a"]),  # stays below a directory of outputs
    ],
)
def test_stems_keep_the_tree_below_what_is_named(
    folder: Path, given: list[str], wanted: list[str]
) -> None:
    assert stems(folder, *given) == wanted


def image(stem: str) -> SourceImage:
    return SourceImage(f"{stem}.jpg", stem, bytes)


def test_ids_are_the_numbers_that_files_are_called_by() -> None:
    images = [image("x/000000000139"), image("000000000785")]
    assert image_ids(images) == [139, 785]
    assert image_ids([*images, image("dog")]) == [1, 2, 3]
    assert image_ids([*images, image("z/139")]) == [1, 2, 3]
    absent = absent_image("*.gif", "no images found")
    assert image_ids([images[0], absent, images[1]]) == [139, 0, 785]
    assert image_ids([image("dog"), absent, image("cat")]) == [1, 0, 2]
