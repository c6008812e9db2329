"""Tables with bars: ranked, and harmless whatever the service calls its slices."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from apteligent_async.cli.demo.tables import bar_table
from apteligent_async.models.monitoring import Slice


def drawn(*slices, width=80, about="Summit"):
    """Draw a table as it comes out of a pipe."""
    console = Console(file=io.StringIO(), width=width)
    console.print(bar_table("Which?", slices, about=about, unit="ms"))
    return console.file.getvalue()


def test_the_largest_come_first_with_bars_in_proportion():
    """Five rows; the bar of a half is half as long."""
    text = drawn(*(Slice(name=f"v{value}", value=value) for value in (10, 60, 30, 20, 50, 40)))
    rows = [line.split() for line in text.splitlines() if " v" in line]
    assert [row[0] for row in rows] == ["v60", "v50", "v40", "v30", "v20"]
    assert [row[1].count("━") for row in rows] == [24, 20, 16, 12, 8]
    assert [row[2] for row in rows] == ["60", "50", "40", "30", "20"]


def test_labels_are_shown_and_missing_values_are_not():
    """A slice has a text for people; one without a value has no rank."""
    text = drawn(Slice(name="ios 6.1", label="iOS 6.1", value=2.5), Slice(name="unknown", value=None))
    assert "iOS 6.1" in text
    assert "2.50" in text
    assert "unknown" not in text


@given(st.lists(st.builds(Slice, name=st.text(), label=st.text(), value=st.floats(0, 1e12))), st.text())
def test_no_text_of_the_service_steers_the_terminal(slices, about):
    """Escape sequences, control characters and line breaks are gone."""
    text = drawn(*slices, about=about).replace("\n", "")
    assert text.isprintable()


def test_markup_of_the_service_is_shown_as_text():
    """Brackets are brackets."""
    assert "[red]x[/red]" in drawn(Slice(name="[red]x[/red]", value=1))


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_a_narrow_terminal_costs_the_bar_not_the_number(width):
    """No line is wider than the terminal, and every value is whole."""
    text = drawn(Slice(name="login.hotspot.wifi.lan", value=3946.22), Slice(name="x", value=0.01), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "3,946.22" in text
