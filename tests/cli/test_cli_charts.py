"""Charts as files: they hold what was measured, and nothing that a name could make a browser do."""

from __future__ import annotations

import json
import re
import struct
import sys
from html.parser import HTMLParser

import pytest

from apteligent_async import ConfigurationError
from apteligent_async.cli.showing.charts import write
from apteligent_async.cli.showing.pictures import Line, Picture

DAYS = tuple(f"2016-12-{day:02}" for day in range(1, 31))
HOSTILE = "</script><script>alert('x')</script>&\u202e\x1b[31m"


def bars(pairs, **others):
    """Make a picture of named values."""
    names, values = zip(*pairs, strict=True)
    told = {"title": "Crashes by OS", "unit": "crashes", **others}
    return Picture(kind="bars", series=(Line(name="crashes", points=values),), labels=names, **told)


def lines(*names, labels=DAYS, **others):
    """Make a picture of lines that rise day by day."""
    series = tuple(
        Line(name=name, points=tuple(float(at * number) for at in range(len(labels))))
        for number, name in enumerate(names, 1)
    )
    return Picture(kind="lines", series=series, labels=labels, **{"title": "Users", "unit": "users a day", **others})


def texts(svg):
    """Give what a drawing says."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


class Page(HTMLParser):
    """A page as a browser takes it apart: its elements with their attributes, and its scripts."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.scripts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        """Note an element."""
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text):
        """Note a script's text."""
        if self.elements and self.elements[-1][0] == "script":
            self.scripts.append(text)


@pytest.fixture
def draw(tmp_path):
    """Give a function that writes a picture and returns the file's content."""

    def call(picture, ending):
        path = tmp_path / f"chart{ending}"
        write(picture, path)
        return path.read_bytes() if ending == ".png" else path.read_text(encoding="utf-8")

    return call


def test_a_drawing_of_bars_says_everything(draw):
    """Title, note, unit, names in the order given, and each value as people write it."""
    said = texts(draw(bars([("iOS 10.2", 1234), ("Android 7", 56)], note="of one day"), ".svg"))
    assert {"Crashes by OS", "of one day", "crashes", "1,234", "56"} <= set(said)
    assert said.index("iOS 10.2") < said.index("Android 7")


def test_values_of_one_drawing_have_as_many_digits(draw):
    """A whole number among fractions says that it is as exact as they are."""
    assert {"5.00", "3.50", "0.24"} <= set(texts(draw(bars([("a", 5.0), ("b", 3.5), ("c", 0.24)]), ".svg")))


def test_bars_of_the_same_name_stay_apart(draw):
    """Two groups with one label are two bars."""
    svg = draw(bars([("unknown", 3), ("unknown", 2), ("iOS", 1)]), ".svg")
    assert {"unknown", "unknown (2)", "iOS"} <= set(texts(svg))


def test_days_are_those_that_were_named(draw):
    """The first and the last are what the labels say, whatever zone the reader is in."""
    spec = described(draw(lines("1.0", labels=("2016-12-01", "2016-12-02")), ".html"))
    assert [row["at"] for row in spec["data"]["values"]] == ["2016-12-01T00:00:00Z", "2016-12-02T00:00:00Z"]
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}
    svg = draw(lines("1.0", labels=("2016-12-01", "2016-12-02", "2016-12-03")), ".svg")
    assert {"Dec 1", "Dec 2", "Dec 3"} <= set(texts(svg))


def test_instants_of_a_day_show_their_time(draw):
    """Where points are minutes apart a day alone would say nothing."""
    assert "Dec 12 18:05" in texts(draw(lines("1.0", labels=("2016-12-12 18:00", "2016-12-12 18:05")), ".svg"))


def test_lines_have_a_legend_if_there_are_several(draw):
    """One alone is named by the title."""
    assert {"1.0", "2.0"} <= set(texts(draw(lines("1.0", "2.0"), ".svg")))
    assert "just one" not in texts(draw(lines("just one"), ".svg"))


def test_a_png_is_sharp_enough_for_a_slide(draw):
    """At least 1,400 pixels wide, on white."""
    png = draw(bars([("a", 1)]), ".png")
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">I", png[16:20])[0] >= 1400
    assert 'fill="white"' in draw(bars([("a", 1)]), ".svg")


def described(page):
    """Give the chart that a page draws."""
    call = re.search(r'vegaEmbed\("#chart", (.*), \{actions', page)
    return json.loads(call[1])


def test_a_page_needs_nothing_else(draw):
    """It names no other file and no address to load; the menu offers no editor of somebody else's."""
    source = draw(lines("1.0", "2.0"), ".html")
    page = Page(source)
    assert not [attributes for _, attributes in page.elements if {"src", "href"} & attributes.keys()]
    own = source.replace(page.scripts[0], "")
    assert "http" not in re.sub(r'"\$schema": "[^"]*"', "", own)
    assert "editor: false" in own
    assert len(described(source)["data"]["values"]) == 60


@pytest.mark.parametrize(
    "make",
    [
        lambda: bars([(HOSTILE, 1)], title=HOSTILE, unit=HOSTILE, note=HOSTILE),
        lambda: lines(HOSTILE, "b", title=HOSTILE),
    ],
)
def test_a_hostile_name_ends_no_script_and_begins_none(draw, make):
    """In a page and in a drawing it is text; what would steer a reader's eye is gone."""
    page = Page(draw(make(), ".html"))
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert "alert" not in " ".join(tag for tag, _ in page.elements)
    assert any("alert" in script for script in page.scripts)
    for written in (draw(make(), ".svg"), "".join(page.scripts[1:])):
        assert "<script" not in written
        assert "\u202e" not in written
        assert "\x1b" not in written


@pytest.mark.parametrize("name", ["chart", "chart.jpg", "chart.svgz"])
def test_an_ending_that_is_no_chart_is_refused(tmp_path, name):
    """With those that are."""
    with pytest.raises(ConfigurationError, match=r"\.svg, \.png, \.html"):
        write(bars([("a", 1)]), tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_a_missing_extra_is_named_with_its_command(tmp_path, monkeypatch, module):
    """Nothing is written."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'apteligent-async\[charts\]'"):
        write(bars([("a", 1)]), tmp_path / "chart.svg")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("points", [(), (None,), (None, 5.0)])
@pytest.mark.parametrize("ending", [".svg", ".png", ".html"])
def test_values_that_are_missing_break_nothing(draw, points, ending):
    """An empty picture is an empty chart."""
    for kind in ("bars", "lines"):
        picture = Picture(
            kind=kind, title="t", unit="u", labels=DAYS[: len(points)], series=(Line(name="a", points=points),)
        )
        assert draw(picture, ending)


def test_a_file_that_cannot_be_written_is_the_systems_error(tmp_path):
    """The command makes a line of it."""
    with pytest.raises(FileNotFoundError):
        write(bars([("a", 1)]), tmp_path / "missing" / "chart.svg")


@pytest.mark.parametrize("count", [2, 7, 8, 20])
def test_every_line_has_a_colour_of_its_own(draw, count):
    """As many as twenty can be told apart."""
    svg = draw(lines(*(f"version {number}" for number in range(count))), ".svg")
    strokes = re.findall(r'aria-roledescription="line mark"[^>]*stroke="([^"]+)"', svg)
    assert len(strokes) == len(set(strokes)) == count


def test_a_wrong_ending_is_a_usage_error_before_a_call_is_spent(command, simulator, tmp_path):
    """Whoever mistypes it pays nothing."""
    service, _ = simulator
    before = len(service.quota().log)
    ended = command("pie", "*", "--chart", tmp_path / "chart.jpg")
    assert ended.code == 2
    assert ".svg, .png, .html" in ended.err
    assert len(service.quota().log) == before
