"""Links between the repository's pages and to its files lead somewhere.

`make docs` checks the links within the site; these are the others.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.code_blocks import PAGES, ROOT

OTHER_PAGES = (
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    ROOT / "clients" / "README.md",
    ROOT / "training" / "README.md",
    ROOT / "server" / "posewire_server" / "models" / "bundled" / "demo.md",
)
REPOSITORY = re.compile(
    r"https://github\.com/posewire/posewire/(?:blob|tree)/main/([^)\s#]+)(#[^)\s]+)?"
)
RELATIVE = re.compile(r"\]\((?!https?:)([^)#\s]+)(#[^)\s]+)?\)")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {f"#{heading.strip().replace(' ', '-')}" for heading in plain}


@pytest.mark.parametrize(
    "page", [*PAGES, *OTHER_PAGES], ids=lambda page: str(page.relative_to(ROOT))
)
def test_files_that_a_page_links_to_exist(page: Path) -> None:
    text = page.read_text()
    targets = [(ROOT / path, anchor) for path, anchor in REPOSITORY.findall(text)]
    targets += [(page.parent / path, anchor) for path, anchor in RELATIVE.findall(text)]
    for target, anchor in targets:
        assert target.exists(), target
        if anchor and ROOT / "docs" not in page.parents:
            assert anchor in anchors(target), (target, anchor)


def test_readme_is_a_front_page() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130
