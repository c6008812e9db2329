"""The progress display: short, honest, and plain where there is no terminal."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from apteligent_async.cli.progress import Standing, showing

SECONDS = st.floats(0, 3000)


def standing(**changes):
    """Make a standing in the middle of a pull."""
    return Standing(**{"done": 97, "failed": 1, "total": 603, "left": 4, "reset_s": 2.2, "eta_s": 61.1} | changes)


def test_the_line_says_all_that_is_asked_of_it():
    """Failed, budget left, seconds to the reset, and the ETA."""
    assert standing().facts == "1 failed, budget left 4, reset in 3 s, ETA 1:02"


def test_an_unknown_reset_is_not_made_up():
    """Just after a reset, before the next answer, there is no number to show."""
    assert "reset now" in standing(reset_s=None).facts


@given(failed=st.integers(0, 999), left=st.integers(0, 9999), reset_s=st.none() | SECONDS, eta_s=SECONDS)
def test_the_line_fits_the_narrowest_terminal(failed, left, reset_s, eta_s):
    """Sixty columns are enough."""
    facts = standing(total=2000, failed=failed, left=left, reset_s=reset_s, eta_s=eta_s).facts
    assert len(facts) <= 60


@given(done=st.integers(0, 603), eta_s=SECONDS)
def test_the_eta_is_zero_only_at_the_end(done, eta_s):
    """While something is missing it says a second at least."""
    assert standing(done=done, failed=0, eta_s=eta_s).facts.endswith("ETA 0:00") == (done == 603)


def test_a_pipe_gets_a_line_now_and_then():
    """No escape code, and no bar that is drawn again and again."""
    console = Console(file=io.StringIO())
    with showing(console) as display:
        display.show(standing())
        display.show(standing(done=98))
    assert display.every_s >= 2
    assert console.file.getvalue().splitlines() == [
        "97 of 603 done, 1 failed, budget left 4, reset in 3 s, ETA 1:02",
        "98 of 603 done, 1 failed, budget left 4, reset in 3 s, ETA 1:02",
    ]


def test_a_terminal_gets_a_bar_that_moves():
    """Its last state stays, and the cursor comes back."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    console = Console(file=Terminal(), force_terminal=True, width=60, color_system=None)
    with showing(console) as display:
        display.show(standing())
        display.show(standing(done=603, failed=0))
    shown = console.file.getvalue()
    assert display.every_s <= 0.5
    assert "━" in shown
    assert "603 of 603 done" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
