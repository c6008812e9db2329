"""The pictures of the documents show what the code does now."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.pictures import PICTURES, main
from benchmarks.svg import INKS

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"!\[([^\]]*)\]\((?:docs/)?pictures/([\w-]+)\.svg\)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NUMBER = re.compile(r"\d+")
SVG = "{http://www.w3.org/2000/svg}"


@cache
def drawn(name):
    """Draw a picture anew, once."""
    return PICTURES[name]()


def picture(name):
    """Read a picture as the documents show it."""
    return (ROOT / "docs" / "pictures" / f"{name}.svg").read_text()


def title_of(text):
    """Say in words what a picture shows."""
    return ET.fromstring(text).findtext(f"{SVG}title")


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_of_this_code(name):
    """The run that a picture shows ends today as it did, to 3 s or calls; if not, `benchmarks.pictures` draws anew."""
    shown, now = title_of(picture(name)), drawn(name).words
    assert NUMBER.sub("", shown) == NUMBER.sub("", now)
    off = [abs(int(one) - int(other)) for one, other in zip(NUMBER.findall(shown), NUMBER.findall(now), strict=True)]
    assert max(off) <= 3


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_can_be_read_on_any_paper(name):
    """Every class that is used has an ink for light and for dark pages, and nothing brings a colour of its own."""
    text = drawn(name).to_svg()
    used = {element.get("class") for element in ET.fromstring(text).iter() if element.get("class")}
    assert used - {"paper"} <= {f"{ink}{form}" for ink in INKS for form in ("", "-line")}
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    assert all(f".{each} {{" in light and f".{each} {{" in dark for each in used)
    assert not re.search(r'(fill|stroke)="', text)


def test_everything_stays_on_the_paper():
    """No bar, dot or line of any picture is drawn beyond its edges."""
    for name in PICTURES:
        root = ET.fromstring(drawn(name).to_svg())
        width, height = float(root.get("width")), float(root.get("height"))
        for x, y in places_in(root):
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_documents_show_every_picture():
    """Each picture is shown, and who cannot see it is told what it shows."""
    shown = [match for page in PAGES for match in SHOWN.findall(page.read_text())]
    assert {name for _, name in shown} == PICTURES.keys() == {p.stem for p in (ROOT / "docs" / "pictures").iterdir()}
    assert all(words == title_of(picture(name)) for words, name in shown)


def test_drawing_twice_gives_the_same(tmp_path, monkeypatch):
    """Pictures differ when what they show does, and never else."""
    monkeypatch.setattr("benchmarks.pictures.PICTURES", {"line": PICTURES["line"]})
    main(["--to", str(tmp_path)])
    assert (tmp_path / "line.svg").read_text() == drawn("line").to_svg()


def places_in(root):
    """Give the corners of all that is drawn, but for words."""
    for element in root.iter():
        at = {
            name: float(element.get(name))
            for name in ("x", "y", "cx", "cy", "width", "height")
            if name in element.attrib
        }
        match element.tag.removeprefix(SVG):
            case "circle":
                yield at["cx"], at["cy"]
            case "rect":
                x, y = at.get("x", 0), at.get("y", 0)
                yield from [(x, y), (x + at["width"], y + at["height"])]
            case "polyline":
                yield from (tuple(map(float, pair.split(","))) for pair in element.get("points").split())
