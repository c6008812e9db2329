"""Tables in terminals: they fit, keep what matters, and nothing in them can steer the terminal."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, datetime

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from apteligent_async.cli.showing.sheets import print_view
from apteligent_async.cli.showing.views import Heading, Sheet, View
from apteligent_async.models.tables import Column

TEXTS = st.one_of(st.none(), st.text(max_size=60))
NUMBERS = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9))
HOSTILE = "\x1b]0;owned\x07[bold red]boo[/]\u202egnp.exe\x00\r\n=1+1"


def printed(view, width, most_rows=None):
    """Print a view as a pipe gets it; give its lines."""
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    print_view(console, view, most_rows=most_rows)
    return console.file.getvalue().splitlines()


def view_of(rows, ranks):
    """Make a view of rows of one text and some numbers."""
    kinds = ["text", *["number"] * (len(ranks) - 1)]
    columns = tuple(
        Column(name=f"c{place}", kind=kind, cells=[row[place] for row in rows]) for place, kind in enumerate(kinds)
    )
    headings = tuple(Heading(f"c{place}", f"heading {place}", rank) for place, rank in enumerate(ranks))
    return View(title="title", sheets=(Sheet(columns=columns, headings=headings),))


@settings(deadline=None)
@given(st.data(), st.integers(60, 200))
def test_a_table_fits_whatever_is_in_it(data, width):
    """Columns are left out or shortened until no line is wider than the terminal, wide characters counted as two."""
    count = data.draw(st.integers(1, 8))
    rows = data.draw(st.lists(st.tuples(TEXTS, *[NUMBERS] * (count - 1)), max_size=5))
    for line in printed(view_of(rows, [0, *range(1, count)]), width):
        assert cell_len(line) <= width


def test_what_goes_first_is_what_matters_least():
    """By rank; and the reader is told what is not there."""
    lines = printed(view_of([("x", *[123_456_789] * 6)], [0, 3, 1, 4, 2, 6, 5]), 60)
    assert [place for place in range(7) if f"heading {place}" in lines[1]] == [0, 1, 2, 4]
    assert " ".join(lines[4:]).startswith("no room for heading 3, heading 5, heading 6: ")


def test_a_column_without_a_value_takes_no_room():
    """The service did not send it."""
    assert "heading 1" not in printed(view_of([("x", None)], [0, 0]), 80)[1]


def test_long_text_is_shortened_before_numbers_are():
    """A number that is cut off is another number."""
    lines = printed(view_of([("long " * 40, 123_456_789)], [0, 0]), 60)
    assert "123,456,789" in lines[3]
    assert "…" in lines[3]


@settings(deadline=None)
@given(st.text())
def test_no_text_of_the_service_steers_the_terminal(text):
    """Wherever it stands: no control, format or bidi character comes through, and markup stays text."""
    view = View(
        title=text,
        facts=((text, text),),
        sheets=(
            Sheet(title=text, columns=(Column(name="a", kind="text", cells=[text]),), headings=(Heading("a", "a"),)),
        ),
        notes=(text,),
    )
    for line in printed(view, 80):
        assert not [character for character in line if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}]


def test_markup_is_shown_as_it_is():
    """Brackets are the service's, not ours."""
    [line] = [line for line in printed(view_of([(HOSTILE,)], [0]), 100) if "boo" in line]
    assert "[bold red]boo[/]" in line
    assert "\x1b" not in line


def test_an_id_is_shown_whole_or_not_at_all():
    """A part of it is of no use."""
    columns = tuple(Column(name=name, kind="text", cells=[name * 30]) for name in "ab")
    headings = (Heading("a", "a"), Heading("b", "b", 1, is_whole=True))
    view = View(title="", sheets=(Sheet(columns=columns, headings=headings),))
    assert "b" * 30 in "".join(printed(view, 60))
    assert "bb" not in "".join(printed(view, 45))


def test_rows_that_are_not_shown_are_counted():
    """And how to see them is said."""
    lines = printed(view_of([(str(number),) for number in range(25)], [0]), 80, most_rows=20)
    assert lines[-1] == "and 5 more: --top 0 shows all"
    assert len(lines) == 1 + 2 + 20 + 1


def test_an_empty_table_says_so():
    """Not a heading over nothing."""
    assert printed(view_of([], [0]), 80) == ["title", "Nothing."]


def test_instants_show_seconds_only_where_they_tell_rows_apart():
    """Live windows are seconds long, crashes are days apart."""

    def lines(*seconds):
        cells = [datetime(2016, 12, 12, 18, 0, second, tzinfo=UTC) for second in seconds]
        columns = (Column(name="at", kind="instant", cells=cells),)
        return printed(View(title="", sheets=(Sheet(columns=columns, headings=(Heading("at", "at"),)),)), 80)[3:]

    assert [line.strip() for line in lines(0)] == ["2016-12-12 18:00Z"]
    assert [line.strip() for line in lines(0, 10)] == ["2016-12-12 18:00:00Z", "2016-12-12 18:00:10Z"]


def test_of_rows_over_time_the_latest_stay():
    """What is left out is the earliest, in every format."""
    view = view_of([(str(number),) for number in range(25)], [0])
    view = evolve(view, sheets=(evolve(view.sheets[0], is_over_time=True),))
    lines = printed(view, 80, most_rows=20)
    assert [line.strip() for line in lines[3:-1]] == [str(number) for number in range(5, 25)]
    assert lines[-1] == "and 5 earlier: --top 0 shows all"


@given(st.text(min_size=1, max_size=60), st.integers(min_value=16, max_value=60))
def test_the_name_of_a_class_keeps_its_end(text, width):
    """Of `java.lang.OutOfMemoryError` the beginning is what goes first, and the table still fits."""
    columns = (Column(name="a", kind="text", cells=[text, f"{text}.OutOfMemory"]),)
    view = View(title="", sheets=(Sheet(columns=columns, headings=(Heading("a", "a", ends_tell=True),)),))
    lines = printed(view, width)
    assert lines[-1].rstrip().endswith(".OutOfMemory")
    assert all(cell_len(line) <= width for line in lines)
