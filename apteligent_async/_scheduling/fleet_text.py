"""A fleet's state as one short text, and back: what a store keeps.

The state is written by the order of its fields, nothing by name, so that it stays small; `FORMAT` names that order,
and two versions of this package that disagree on it keep apart.
"""

from __future__ import annotations

import json
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from attrs import fields

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.company import Company
from apteligent_async._scheduling.fleet import Fleet, Granted, Member, Step
from apteligent_async._scheduling.gate import Gate
from apteligent_async._scheduling.openings import Openings
from apteligent_async._scheduling.readings import Hypothesis, Span, Unit
from apteligent_async._scheduling.sharing import transition
from apteligent_async._scheduling.views import View, views_of
from apteligent_async._scheduling.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FORMAT", "advance", "fleet_of", "text_of"]

_KINDS = (Fleet, Budget, Company, Gate, Openings, Windows, View, Hypothesis, Span, Member)

FORMAT = f"{crc32(repr([[field.name for field in fields(kind)] for kind in _KINDS]).encode()):08x}"
"""Which fields a text holds, in which order."""

_NAMES: dict[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS}
_GETTERS: dict[type, Callable[[Any], Any]] = {kind: attrgetter(*names) for kind, names in _NAMES.items()}
_GETTERS[Unit] = attrgetter("value")
_FROZEN = {Hypothesis, Span}


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
    """Make an instance as it was, past its constructor, which knows no private state."""
    readers = _READERS[kind]
    made: Any = cast("Any", object.__new__(kind))
    fill: Callable[[str, Any], None] = partial(object.__setattr__, made) if kind in _FROZEN else made.__setattr__
    for name, value in zip(_NAMES[kind], values, strict=True):
        fill(name, readers[name](value) if name in readers and value is not None else value)
    return made


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
        "company": partial(_filled, Company),
        "views": lambda views: tuple(_filled(View, each) for each in views),
        "_stragglers": lambda pairs: [(until, cost) for until, cost in pairs],
    },
    Windows: {"ends": partial(_filled, Span), "_last": partial(_filled, Span)},
    Openings: {},
    Gate: {},
    Company: {},
    View: {"hypothesis": partial(_filled, Hypothesis)},
    Hypothesis: {"unit": Unit},
    Span: {},
}
"""How to read the fields that are not plain numbers, names or flags."""
