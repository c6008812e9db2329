"""From units to as few calls as facts about the service allow: pure, nothing is asked here."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.bulk.fetches import attributes_fetch, plain_fetch, totals_fetch, trends_fetch
from apteligent_async.bulk.rows import TOP_SERIES
from apteligent_async.bulk.savings import (
    ALL_APPS,
    MIXED_DAY_TOTALS,
    SAME_DAY_TOTALS,
    SAVINGS,
    TOP_FIVE,
    allowed,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async.bulk.units import Fetch, Question, Saving, Unit

__all__ = ["DryRun", "SavingUse", "calls", "dry_run", "plain_loop", "schedule"]

MOST_APPS = 40
"""How many apps a call names at most, so that its address stays below two thousand characters or so."""


@frozen(kw_only=True)
class SavingUse:
    """What one saving does for a pull.

    Attributes:
        saving: which, with its fact and grade.
        is_used: whether it was allowed.
        calls_saved: calls that it saves; or would save, were it allowed.
    """

    saving: Saving
    is_used: bool
    calls_saved: int


@frozen(kw_only=True)
class DryRun:
    """What a pull would cost.

    Attributes:
        units: how many units are to be had.
        calls_before: calls of a plain loop, one per question and app.
        calls_after: calls with the savings that are allowed.
        savings: what each saving does, also those that are not allowed.
        seconds: how long the calls take at the present budget, until the last has started; None without one.
        is_lower_bound: whether more calls may follow: further pages, or what a list names.
    """

    units: int
    calls_before: int
    calls_after: int
    savings: tuple[SavingUse, ...]
    seconds: float | None
    is_lower_bound: bool


def schedule(units: Iterable[Unit], *, allow: Collection[str] | None = None) -> tuple[Fetch, ...]:
    """Give the calls that fill some units, in plan order.

    Args:
        units: those that are to be had; others of the plan are not asked for, nor are those that are gone.
        allow: names of the savings to use; None for those that rest on facts of grade B or better.

    Raises:
        ConfigurationError: there is no such saving.
    """
    return tuple(sorted(calls(units, allow=allow), key=lambda fetch: fetch.units[0].order))


def plain_loop(units: Iterable[Unit]) -> tuple[Fetch, ...]:
    """Give the calls of a loop that saves nothing: one per question and app."""
    return schedule(units, allow=())


def calls(units: Iterable[Unit], *, allow: Collection[str] | None = None) -> Iterator[Fetch]:
    """Give the calls of `schedule` one by one, the units of each made when it comes; those for several questions last.

    Args:
        units: those of a question must follow each other.
        allow: as for `schedule`.

    Raises:
        ConfigurationError: there is no such saving.
    """
    names = allowed(allow)
    bundles: dict[Hashable, dict[Question, list[Unit]]] = {}
    for question, group in groupby(units, key=lambda unit: unit.question):
        wanted = [unit for unit in group if not unit.is_gone]
        if wanted and (bundle := _bundle_of(wanted[0], names)) is not question:
            bundles.setdefault(bundle, {})[question] = wanted
        elif wanted:
            yield plain_fetch(wanted)
    for questions in bundles.values():
        yield from _fetches(questions)


def dry_run(
    units: Sequence[Unit], *, snapshot: BudgetSnapshot | None = None, allow: Collection[str] | None = None
) -> DryRun:
    """Tell what it costs to have some units, and what saves how much; the survey before it is not counted.

    Args:
        units: those that are to be had.
        snapshot: the budget as it is now, as `client.budget()` tells it.
        allow: names of the savings to use, as for `schedule`.

    Raises:
        ConfigurationError: there is no such saving.
    """
    names = allowed(allow)
    wanted = [unit for unit in units if not unit.is_gone]
    asked = list({unit.question: unit for unit in wanted}.values())  # a question costs the same for any days
    fetches = schedule(asked, allow=names)
    return DryRun(
        units=len(wanted),
        calls_before=len(asked),
        calls_after=len(fetches),
        savings=tuple(_use_of(saving, asked, names) for saving in SAVINGS.values()),
        seconds=None if snapshot is None else snapshot.eta(len(fetches)),
        is_lower_bound=any(fetch.is_paged or fetch.units[0].is_listing for fetch in fetches),
    )


def _use_of(saving: Saving, asked: Sequence[Unit], names: frozenset[str]) -> SavingUse:
    without, with_it = (len(schedule(asked, allow=chosen)) for chosen in (names - {saving.name}, names | {saving.name}))
    return SavingUse(saving=saving, is_used=saving.name in names, calls_saved=without - with_it)


def _bundle_of(unit: Unit, names: Collection[str]) -> Hashable:
    """Say which units may share a call with this one: those of the same bundle."""
    question = unit.question
    if question.endpoint == "apps.list" and ALL_APPS.name in names:
        return "apps.list"
    if TOP_FIVE.name in names and _is_top(question):
        return "trends.app", question.app
    if question.endpoint == "trends.app" and TOP_FIVE.name in names and not question.arguments:
        return "trends.app", question.app
    if question.argument("group_by") == "appId" and question.top is None:
        if MIXED_DAY_TOTALS.name in names:
            return question.endpoint, question.arguments
        if SAME_DAY_TOTALS.name in names and unit.offset_hours is not None:
            return question.endpoint, question.arguments, unit.offset_hours
    return question


def _is_top(question: Question) -> bool:
    """Whether trends may stand in for a pie: a day's, of five groups at most, not narrowed."""
    series = (question.argument("graph"), question.argument("group_by"))
    is_five = question.top is not None and question.top <= 5
    return is_five and series in TOP_SERIES and not question.argument("filters")


def _fetches(questions: Mapping[Question, Sequence[Unit]]) -> list[Fetch]:
    """Make the calls of one bundle."""
    units = [unit for asked in questions.values() for unit in asked]
    if len(questions) == 1:
        return [plain_fetch(units)]
    if units[0].endpoint == "apps.list":
        return [attributes_fetch(units, saving=ALL_APPS)]
    if units[0].question.argument("group_by") == "appId":
        is_same_day = len({unit.offset_hours for unit in units}) == 1 and units[0].offset_hours is not None
        saving = SAME_DAY_TOTALS if is_same_day else MIXED_DAY_TOTALS
        return [totals_fetch(units[at : at + MOST_APPS], saving=saving) for at in range(0, len(units), MOST_APPS)]
    return [trends_fetch(units, saving=TOP_FIVE)]
