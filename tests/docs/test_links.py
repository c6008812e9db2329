"""The documents lead to each other, and none of them to nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text() for path in sorted(DOCS.glob("*.md"))}
LINK = re.compile(r"\]\(([\w.-]*)(?:#([\w-]+))?\)")
OUTSIDE = re.compile(r"\]\(([\w./-]+)(?:#([\w-]+))?\)")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    """Every link between documents names a page, and a heading that it has."""
    for name, anchor in LINK.findall(PAGES[page]):
        target = name or page
        assert target in PAGES
        assert not anchor or anchor in anchors(PAGES[target])


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_from_outside_lead_somewhere(page):
    """Whoever comes by the front door finds the rooms that it points to."""
    for path, anchor in OUTSIDE.findall((ROOT / page).read_text()):
        assert (ROOT / path).is_file()
        assert not anchor or anchor in anchors((ROOT / path).read_text())


def test_the_index_leads_to_every_page():
    """Whoever begins at the index can find everything."""
    assert {name for name, _ in LINK.findall(PAGES["index.md"])} == PAGES.keys() - {"index.md"}


def anchors(text):
    """Give the anchors of a page's headings, as renderers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
