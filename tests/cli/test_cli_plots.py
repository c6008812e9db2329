"""Pictures in a terminal: what is drawn fits, says what it is, and can be told apart without colour."""

from __future__ import annotations

import io
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from terminal import in_terminal, plain

from apteligent_async.cli.showing.pictures import Line, Picture
from apteligent_async.cli.showing.plots import draw
from apteligent_async.simulator import DEMO_ACCOUNT

DAYS = tuple(f"2016-12-{day:02}" for day in range(1, 31))
HOSTILE = "\x1b[31mred\x07\n[bold]\u202eevil"


def drawn(picture, *, width=100, has_colour=False):
    """Draw on a terminal; give what it was sent."""
    screen = io.StringIO()
    system = "256" if has_colour else None
    console = Console(file=screen, width=width, color_system=system, force_terminal=True, markup=False, emoji=False)
    draw(picture, console)
    return screen.getvalue()


def bars(pairs, **others):
    """Make a picture of named values."""
    names, values = zip(*pairs, strict=True)
    told = {"title": "Crashes by OS", "unit": "crashes", **others}
    return Picture(kind="bars", series=(Line(name="crashes", points=values),), labels=names, **told)


def lines(*series, labels=DAYS, **others):
    """Make a picture of lines over days."""
    named = tuple(Line(name=f"version {number}", points=tuple(points)) for number, points in enumerate(series))
    return Picture(kind="lines", series=named, labels=labels, **{"title": "Users", "unit": "users a day", **others})


def wave(shift=0.0):
    """Make values that go up and down."""
    return [100 + 50 * math.sin(day / 4 + shift) for day in range(30)]


@pytest.mark.parametrize("has_colour", [True, False])
@pytest.mark.parametrize("width", [60, 100, 200])
def test_it_fits_and_says_what_it_is(width, has_colour):
    """Title, unit, note and names are there, shortened where they must be, and no line is wider than the terminal."""
    long_name = "Android 4.4.2 with a vendor's own name that is far too long for any terminal " * 2
    note = "A point stands for the day that ends with it."
    pictures = [
        bars([("iOS 10.2", 12.5), (long_name, 3.25), ("东京", 0)]),
        lines(wave(), wave(1), note=note),
    ]
    for picture in pictures:
        text = re.sub(r"\x1b\[[\d;]*m", "", drawn(picture, width=width, has_colour=has_colour))
        assert all(cell_len(line) <= width for line in text.splitlines())
        flat = " ".join(text.split())
        assert flat.startswith(f"{picture.title} {picture.unit} ")
        assert picture.note in flat
        assert "…" in text or long_name not in picture.labels


def test_bars_are_as_long_as_their_values():
    """The longest fills the width; half the value is half the bar; the order is kept."""
    text = drawn(bars([("b", 8.0), ("a", 4.0), ("c", 0.0), ("d", None)]))
    rows = [(line[0], line.count("━")) for line in text.splitlines() if re.match("[abcd] ", line)]
    assert [name for name, _ in rows] == ["b", "a", "c"]
    (_, longest), (_, half), (_, nothing) = rows
    assert abs(longest / 2 - half) <= 1
    assert (nothing, longest > 60) == (0, True)


def test_long_names_keep_both_ends():
    """What tells them apart is seldom in the middle: an app first, a version last."""
    text = drawn(
        bars([(f"Lantern Maps & Guides for Travellers: Android 4.4.{number}", 5) for number in range(3)]), width=60
    )
    rows = [line.partition(" ━")[0] for line in text.splitlines()[2:]]
    assert len(set(rows)) == 3
    assert all(row.startswith("Lantern Maps") and "…" in row and cell_len(row) <= 30 for row in rows)
    assert [row[-5:] for row in rows] == ["4.4.0", "4.4.1", "4.4.2"]


def test_values_are_written_so_that_people_can_read_them():
    """Thousands are separated, whole numbers have no decimals, small ones have two."""
    assert "1,234,567" in drawn(bars([("a", 1_234_567)]))
    assert "12.50" in drawn(bars([("a", 12.5), ("b", 3)]))
    assert "12,345.6" in drawn(bars([("a", 12_345.6)]))


def test_lines_differ_without_colour():
    """Each is drawn with its own character, which its name stands beside; with colour all are fine lines."""
    picture = lines(wave(), [value * 2 for value in wave()])
    plain = drawn(picture)
    assert "* version 0   o version 1" in plain
    assert plain.count("*") > 20
    assert plain.count("o") > 20
    coloured = drawn(picture, has_colour=True)
    assert re.search("[\u2801-\u28ff]", coloured)
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain


def test_a_line_alone_needs_no_legend():
    """Its name is in the title."""
    assert "version 0" not in drawn(lines(wave()))


def test_days_under_the_axis_do_not_touch_and_include_both_ends():
    """As many as there is room for."""
    for width, least in ((60, 3), (100, 5), (200, 8), *((width, 2) for width in range(30, 200))):
        axis = next(line for line in drawn(lines(wave()), width=width).splitlines() if "2016-12-01" in line)
        days = axis.split()
        assert (days[0], days[-1]) == (DAYS[0], DAYS[-1])
        assert len(days) >= least
        assert set(days) <= set(DAYS)


def test_a_gap_is_a_gap():
    """Where there is no value nothing is drawn."""
    whole, gap = wave(), wave()
    gap[10:20] = [None] * 10
    count = [sum("\u2801" <= character <= "\u28ff" for character in drawn(lines(each))) for each in (whole, gap)]
    assert count[1] < count[0] * 0.75


def test_heights_are_round_and_begin_at_nothing():
    """Unless all values are far from it, so that a small change on a high level shows."""
    heights = re.findall(r"^ *([\d,.]+)┤", drawn(lines(wave())), flags=re.MULTILINE)
    assert heights[-1] == "0"
    assert len(heights) >= 4
    high = [1000 + value / 10 for value in wave()]
    heights = re.findall(r"^ *([\d,.]+)┤", drawn(lines(high)), flags=re.MULTILINE)
    assert float(heights[-1].replace(",", "")) > 900


def test_more_lines_than_can_be_told_apart_are_left_out_with_a_word():
    """The first seven are drawn."""
    text = drawn(lines(*([number] * 30 for number in range(9))))
    assert "2 more lines are not drawn." in text
    assert "version 6" in text
    assert "version 7" not in text


@pytest.mark.parametrize("has_colour", [True, False])
def test_hostile_text_is_harmless(has_colour):
    """Control characters, markup and reversed writing come out as question marks or as they are."""
    pictures = [
        bars([(HOSTILE, 1)], title=HOSTILE, unit=HOSTILE, note=HOSTILE),
        lines(wave(), wave(1), title=HOSTILE, unit=HOSTILE, note=HOSTILE, labels=(HOSTILE,) * 30),
        Picture(kind="lines", title="t", unit="u", labels=("a",), series=(Line(name=HOSTILE, points=(1,)),) * 2),
    ]
    for picture in pictures:
        text = re.sub(r"\x1b\[[\d;]*m", "", drawn(picture, has_colour=has_colour).replace("\x1b[31m", "HERE"))
        assert "HERE" not in text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
        assert "[bold]" in text


@pytest.mark.parametrize("points", [(None,), (), (math.nan,), (math.inf,)])
def test_where_nothing_can_be_drawn_it_says_so(points):
    """In a line under the title."""
    for kind in ("bars", "lines"):
        picture = Picture(
            kind=kind, title="Users", unit="u", labels=DAYS[: len(points)], series=(Line(name="a", points=points),)
        )
        assert drawn(picture) == "Users\nNothing to draw: there are no values.\n"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.floats(-1e12, 1e12), st.floats(0, 100), st.integers(0, 10**9)), min_size=1, max_size=40
    ),
    st.integers(30, 220),
    st.booleans(),
)
def test_anything_can_be_drawn_at_any_width(points, width, has_colour):
    """No value and no width breaks a picture, or makes a line wider than the terminal."""
    labels = tuple(f"day {number}" for number in range(len(points)))
    for kind in ("bars", "lines"):
        known = [abs(point) if kind == "bars" and point is not None else point for point in points]
        picture = Picture(kind=kind, title="t", unit="u", labels=labels, series=(Line(name="n", points=tuple(known)),))
        text = re.sub(r"\x1b\[[\d;]*m", "", drawn(picture, width=width, has_colour=has_colour))
        assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize("columns", [60, 100, 200])
def test_a_command_plots_as_wide_as_its_terminal(simulator, tmp_path, columns, colour):
    """In a real terminal: lines end where the terminal does, and differ by characters where there is no colour."""
    service, url = simulator
    told = {
        "APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id),
        "APTELIGENT_BASE_URL": url,
        "XDG_STATE_HOME": str(tmp_path),
    }
    app = max(service.world.apps.values(), key=lambda app: app.profile.daily_loads)
    command = ["trends", app.profile.id, "--series", "crashRatioByVersion", "--plot", "--quiet"]
    code, screen = in_terminal(*command, columns=columns, **told, **colour)
    assert code == 0
    text = plain(screen)
    assert max(map(cell_len, text.splitlines())) == columns
    assert ("\x1b[3" in screen) == (not colour)
    assert bool(re.search("[\u2801-\u28ff]", text)) == (not colour)
