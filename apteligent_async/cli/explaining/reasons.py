"""Why calls wait, in people's words: one row per cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.cli.explaining.story import BACKOFF, UNKNOWN
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async.cli.explaining.story import Story, Stretch, Window

__all__ = ["REASONS", "Reason", "reason_of", "sentence_of", "since_start"]

_LONGEST_TEXT = 60


@frozen
class Reason:
    """The words of one cause.

    Attributes:
        short: for a list.
        sentence: after "waited 3 s:".
        ends: what comes at the instant that is named with it; empty if that instant says nothing to people.
        mark: its character in a timeline.
    """

    short: str
    sentence: str
    ends: str = ""
    mark: str = "~"


REASONS: Mapping[str, Reason] = {
    "nothing": Reason("nothing", "nothing held it back"),
    "in_flight": Reason("too many under way", "as many calls were under way as the policy allows at once"),
    "probe": Reason(
        "a window's first answer",
        "the first call of a window was under way, and its answer would tell how many may follow",
    ),
    "answers": Reason(
        "answers on their way",
        "as many calls were under way as could be proven safe, and their answers would tell what was left",
    ),
    "drained": Reason("budget used up", "the budget of the window was used up", "the reset was expected", "-"),
    "refused": Reason(
        "stopped by a 429",
        "the service had answered 429, and nobody sends before the reset that it stated",
        "that reset was expected",
        "x",
    ),
    "lost_answer": Reason(
        "an answer was lost",
        "an answer had not come, or had said nothing of the budget, so that nothing was proven to be left",
        "the next try was due",
    ),
    "share": Reason("own share used up", "our share of the window was used up", "the reset was expected", "-"),
    "pace": Reason("spread over the window", "the policy spreads the calls over the window", "its turn was due"),
    "reserve": Reason(
        "kept for urgent calls",
        "what was left of the window was kept for more urgent calls",
        "the reserve was to be released",
    ),
    "turn": Reason(
        "others' turn", "calls of other processes that share the budget went first", "the budget was to be asked again"
    ),
    "late_look": Reason(
        "last call kept for a look",
        "the last proven call was kept until its answer could show whether more were left, or had come back",
        "the look was due",
    ),
    BACKOFF: Reason("pause after a failure", "its last attempt had failed", "the pause was to end"),
    UNKNOWN: Reason("not in the log", "the log does not say for what"),
}


def reason_of(cause: str) -> Reason:
    """Give the words of a cause; one that this version does not know is shown as it is."""
    known = REASONS.get(cause)
    return known or Reason(printable(cause)[:_LONGEST_TEXT], f"cause: {printable(cause)[:_LONGEST_TEXT]}")


def sentence_of(stretch: Stretch, story: Story) -> str:
    """Say why calls waited, whose calls had used the budget, and what was expected when."""
    reason = reason_of(stretch.cause)
    text = reason.sentence
    if stretch.cause in {"drained", "share"}:
        text += f" ({_use_of(story.window_at(stretch.began_at))})"
    if reason.ends and stretch.until is not None:
        text += f"; {reason.ends} at {since_start(stretch.until, story)}"
    return text


def since_start(at: float, story: Story) -> str:
    """Write an instant as seconds since the log's first event."""
    return f"{at - story.began_at:+.1f} s"


def _use_of(window: Window) -> str:
    if window.others:
        return f"{window.started} calls by this client, the rest by others"
    return f"{window.started} of {window.known} by this client"
