"""A fleet's state as one short text, and back: what a store keeps.

The state is written by the order of its fields, nothing by name, so that it stays small; `FORMAT` names that order,
and two versions of this package that disagree on it keep apart.
"""

from __future__ import annotations

import json
from functools import lru_cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from attrs import fields

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.company import Company
from apteligent_async._scheduling.fading import Fading
from apteligent_async._scheduling.fleet import Fleet, Granted, Member, Step
from apteligent_async._scheduling.gate import Gate
from apteligent_async._scheduling.looks import Looks
from apteligent_async._scheduling.openings import Openings
from apteligent_async._scheduling.outlay import Outlay
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Span, Unit
from apteligent_async._scheduling.sharing import transition
from apteligent_async._scheduling.trial import Trial
from apteligent_async._scheduling.views import View, views_of
from apteligent_async._scheduling.windows import Windows
from apteligent_async._scheduling.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FORMAT", "advance", "fleet_of", "text_of"]

_KINDS = (
    Fleet,
    Budget,
    Company,
    Fading,
    Gate,
    Looks,
    Openings,
    Outlay,
    Trial,
    Windows,
    Wording,
    View,
    Hypothesis,
    Span,
    Member,
)

FORMAT = f"{crc32(repr([[field.name for field in fields(kind)] for kind in _KINDS]).encode()):08x}"
"""Which fields a text holds, in which order."""

_NAMES: dict[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS}
_GETTERS: dict[type, Callable[[Any], Any]] = {kind: attrgetter(*names) for kind, names in _NAMES.items()}
_GETTERS[Unit] = attrgetter("value")


def advance(
    text: str | None, step: Step, *, hypotheses: Sequence[Hypothesis], clock: str, now: float, blur_s: float = 0.0
) -> tuple[str, tuple[Granted, Fleet]]:
    """Take one step from state to state: pure, and all that a store needs to know of the whole matter.

    Args:
        text: the state so far; None where there is none.
        step: what a member tells and wants.
        hypotheses: how the service's numbers may have to be read, where there is no state yet.
        clock: which clock `now` was read from.
        now: the present instant, or a little earlier.
        blur_s: how much earlier at most.

    Returns:
        The next state as a text, what the member is granted, and the next state to look at.
    """
    fleet = Fleet(budget=Budget(views=views_of(hypotheses))) if text is None else fleet_of(text)
    granted = transition(fleet, step, clock=clock, now=now, blur_s=blur_s)
    return text_of(fleet), (granted, fleet)


def _packed(value: Any) -> Any:
    """Give plain lists in place of instances, for the encoder to call whenever it meets one."""
    return _GETTERS[type(value)](value)


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_packed).encode


def text_of(fleet: Fleet) -> str:
    """Write a state."""
    return _encode(fleet)


def fleet_of(text: str) -> Fleet:
    """Read what `text_of` wrote."""
    fleet: Fleet = _filled(Fleet, json.loads(text))
    return fleet


def _filled(kind: type, values: Sequence[Any]) -> Any:
    """Make an instance as it was, slot by slot, past its constructor, which knows no private state."""
    made: Any = cast("Any", object.__new__(kind))
    for (put, read), value in zip(_SLOTS[kind], values, strict=True):
        put(made, value if read is None or value is None else read(value))
    return made


@lru_cache(maxsize=len(ALL_HYPOTHESES))
def _hypothesis(unit: str, *flags: bool) -> Hypothesis:
    """Give the one instance of a hypothesis, as every view of every state names it."""
    return Hypothesis(Unit(unit), *flags)


_READERS: dict[type, dict[str, Callable[[Any], Any]]] = {
    Fleet: {
        "budget": partial(_filled, Budget),
        "members": lambda members: {name: _filled(Member, each) for name, each in members.items()},
    },
    Member: {"wanted": tuple},
    Budget: {
        "windows": partial(_filled, Windows),
        "openings": partial(_filled, Openings),
        "gate": partial(_filled, Gate),
        "looks": partial(_filled, Looks),
        "company": partial(_filled, Company),
        "trial": partial(_filled, Trial),
        "fading": partial(_filled, Fading),
        "wording": partial(_filled, Wording),
        "outlay": partial(_filled, Outlay),
        "views": lambda views: tuple(_filled(View, each) for each in views),
    },
    Outlay: {"stragglers": lambda pairs: [(until, cost) for until, cost in pairs]},
    Trial: {"foretold": tuple},
    Windows: {"ends": partial(_filled, Span), "_last": partial(_filled, Span)},
    View: {"hypothesis": lambda values: _hypothesis(*values)},
}
"""How to read the fields that are not plain numbers, names or flags."""

_SLOTS: dict[type, tuple[tuple[Callable[[Any, Any], None], Callable[[Any], Any] | None], ...]] = {
    kind: tuple((getattr(kind, name).__set__, _READERS.get(kind, {}).get(name)) for name in names)
    for kind, names in _NAMES.items()
}
"""Where each field of a kind goes, and how it is read."""
