"""Waits that have the same reason, told together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.explaining.story import Call, Story, Stretch, Wait

__all__ = ["WaitGroup", "groups_of"]


@frozen(kw_only=True)
class WaitGroup:
    """Waits that ended in one window, and were mainly for one thing.

    Attributes:
        window: the number of that window.
        tickets: the calls that waited, in order; a call that waited twice is in it twice.
        labels: what the calls were, each once, in order.
        shortest_s: the shortest wait, in seconds.
        longest_s: the longest.
        reason: the main reason of the longest wait.
        others: its further reasons, in the order of time.
        unended: how many of the waits the log does not see the end of.
    """

    window: int
    tickets: Sequence[int]
    labels: Sequence[str]
    shortest_s: float
    longest_s: float
    reason: Stretch
    others: Sequence[Stretch]
    unended: int


def groups_of(story: Story) -> Sequence[WaitGroup]:
    """Put the waits together, in the order of the windows; calls that started at once are in none."""
    members: defaultdict[tuple[int, str], list[tuple[Call, Wait]]] = defaultdict(list)
    for call in story.calls.values():
        for wait in call.waits:
            reasons = story.reasons(wait)
            if reasons:
                members[story.window_at(wait.ended_at).number, _main(reasons).cause].append((call, wait))
    groups = [_group(story, window, waits) for (window, _), waits in members.items()]
    return sorted(groups, key=lambda group: (group.window, group.reason.began_at))


def _group(story: Story, window: int, waits: Sequence[tuple[Call, Wait]]) -> WaitGroup:
    longest = max((wait for _, wait in waits), key=lambda wait: wait.seconds)
    reasons = story.reasons(longest)
    main = _main(reasons)
    return WaitGroup(
        window=window,
        tickets=sorted(call.ticket for call, _ in waits),
        labels=sorted({call.label for call, _ in waits}),
        shortest_s=min(wait.seconds for _, wait in waits),
        longest_s=longest.seconds,
        reason=main,
        others=[one for one in reasons if one is not main],
        unended=sum(wait.ended_in is None for _, wait in waits),
    )


def _main(reasons: Sequence[Stretch]) -> Stretch:
    return max(reasons, key=lambda one: one.seconds)
