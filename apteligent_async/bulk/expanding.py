"""From a plan to its units: pure, nothing is asked here."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from apteligent_async.bulk.families import FAMILIES, LISTINGS
from apteligent_async.bulk.units import Question, Unit
from apteligent_async.bulk.wanted import guess
from apteligent_async.bulk.windows import DAY, AppDays, newest_point
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.frozen import EMPTY, FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.survey import AppFacts
    from apteligent_async.bulk.wanted import Wanted

__all__ = ["Span", "chosen_apps", "expand", "offset_of", "spread"]

_GLOB = frozenset("*?[")


@frozen(kw_only=True)
class Span:
    """One question, and the days of it that are wanted: their units are made when they are looked at.

    So a plan of a million units takes the memory of its questions.

    Attributes:
        question: what is asked.
        days: the calendar of its app.
        first: the oldest day that is wanted.
        newest: the newest.
        settle_days: as in `Plan`.
        order: the place of its first unit in the plan.
        running: how many of the newest days are left out, as they are not over.
    """

    question: Question
    days: AppDays
    first: date
    newest: date
    settle_days: int
    order: int = 0
    running: int = 0

    @property
    def is_listing(self) -> bool:
        """Whether its units name what others are about."""
        return self.question.endpoint in LISTINGS

    def __len__(self) -> int:
        return max((self.newest - self.first).days + 1 - self.running, 0)

    def __iter__(self) -> Iterator[Unit]:
        """Make its units, older days first."""
        family = FAMILIES[self.question.endpoint]
        # What tells of the present alone can be had on its day alone, so that it is final when the day ends.
        settling = timedelta(days=self.settle_days if family.dated else 0)
        for place in range(len(self)):
            age_days = self.running + len(self) - 1 - place
            day = self.newest - DAY * age_days
            yield Unit(
                question=self.question,
                day=day,
                settles_at=self.days.ends_at(day) + settling,
                order=self.order + place,
                age_days=age_days,
                offset_hours=self.days.offset_hours,
                is_gone=age_days >= max(family.reach_days, 1),
                is_listing=self.is_listing,
            )


def expand(
    plan: Plan,
    apps: Sequence[AppFacts],
    now: datetime,
    *,
    listed: Mapping[str, Sequence[str]] = EMPTY,
    began: Mapping[tuple[str, str], date] | None = None,
) -> tuple[Unit, ...]:
    """Give the units of a plan, in the order of its output: by kind, app, arguments and day; see `spread`."""
    return tuple(unit for span in spread(plan, apps, now, listed=listed, began=began) for unit in span)


def spread(
    plan: Plan,
    apps: Sequence[AppFacts],
    now: datetime,
    *,
    listed: Mapping[str, Sequence[str]] = EMPTY,
    began: Mapping[tuple[str, str], date] | None = None,
) -> tuple[Span, ...]:
    """Give the questions of a plan with their days, each question once, in the order of the plan.

    What is asked group by group or userflow by userflow is known when its list was had: spread without `listed` first,
    have the units with `is_listing`, and spread again with the keys of their rows. Units do not change by that, but
    for their order.

    Args:
        plan: what is wanted.
        apps: the account's apps, as a survey gives them.
        now: the service's instant, aware, as a survey gives it.
        began: the first day that is known of each question, by app and query, as a ledger remembers it. Days since then
            are wanted however long nobody pulled; without, each kind's ``days`` alone say how far back to go.
        listed: for each listing unit that was had, by its key, the keys of its rows, in their order, each once.

    Raises:
        ConfigurationError: a name or an id in the plan is no app's.
    """
    found: dict[Question, Span] = {}
    for wanted in plan.want:
        for app in chosen_apps(plan, apps):
            days = AppDays(now=now, offset_hours=offset_of(plan, app))
            expansion = _AppSpans(plan=plan, app=app, days=days, listed=listed, began=began or {})
            for span in expansion.spans(wanted):
                known = found.get(span.question)
                if known is None or span.first < known.first:
                    found[span.question] = span
    places = accumulate(map(len, found.values()), initial=0)
    return tuple(evolve(span, order=place) for span, place in zip(found.values(), places, strict=False))


def chosen_apps(plan: Plan, apps: Iterable[AppFacts]) -> tuple[AppFacts, ...]:
    """Pick the apps that a plan is about, in the service's order.

    Raises:
        ConfigurationError: a name or an id in the plan, not a glob, is no app's.
    """
    every = tuple(apps)
    for pattern in (*plan.apps, *plan.except_apps):
        if not _GLOB & set(pattern) and not any(_fits(pattern, app) for app in every):
            names = [app.name for app in every]
            raise ConfigurationError(f"The plan names an app {pattern!r} that there is not{guess(pattern, names)}.")
    return tuple(
        app
        for app in every
        if any(_fits(pattern, app) for pattern in plan.apps)
        and not any(_fits(pattern, app) for pattern in plan.except_apps)
    )


def _fits(pattern: str, app: AppFacts) -> bool:
    name, sought = app.name.casefold(), pattern.casefold()
    return pattern == app.id or sought == name or fnmatchcase(name, sought)


def offset_of(plan: Plan, app: AppFacts) -> float | None:
    """Tell at which offset from GMT an app's days begin: as the plan says, or else as a survey found."""
    told = (hours for pattern, hours in plan.offset_hours.items() if _fits(pattern, app))
    return next(told, app.offset_hours)


@frozen(kw_only=True)
class _AppSpans:
    """Expands what is wanted of one app."""

    plan: Plan
    app: AppFacts
    days: AppDays
    listed: Mapping[str, Sequence[str]]
    began: Mapping[tuple[str, str], date]

    def spans(self, wanted: Wanted) -> Iterator[Span]:
        if wanted.family.listed_by is None:
            for question in self._questions(wanted):
                yield self._span(question, *self._window(wanted, question))
            return
        for question in self._questions(wanted.listing):
            listing = self._today(question)
            yield listing
            for name in self.listed.get(next(iter(listing)).key, ())[: wanted.most]:
                for about in self._questions(wanted, {wanted.family.subject: name}):
                    yield self._today(about)

    def _questions(self, wanted: Wanted, subject: Mapping[str, str] = EMPTY) -> Iterator[Question]:
        for arguments in wanted.combinations():
            for narrowed in self._narrowed(wanted, arguments):
                yield Question(
                    endpoint=wanted.what,
                    app=self.app.id,
                    arguments=tuple(sorted({**narrowed, **subject}.items())),
                    day_labels=self.plan.day_labels,
                    top=wanted.top,
                )

    def _narrowed(self, wanted: Wanted, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the arguments once per version that is wanted; as they are where none is."""
        name = wanted.family.version_argument
        if not wanted.app_version or name is None:
            yield arguments
        for version in self._versions(wanted.app_version):
            if version == "all" or name is None:
                yield arguments
            elif name == "filters":
                yield {**arguments, name: FrozenMapping({**(arguments.get(name) or {}), "appVersion": version})}
            else:
                yield {**arguments, name: version}

    def _versions(self, patterns: Iterable[str]) -> tuple[str, ...]:
        found: list[str] = []
        for pattern in patterns:
            if pattern == "latest":
                found.extend(filter(None, [self.app.latest_version]))
            elif _GLOB & set(pattern):
                found.extend(version for version in self.app.versions if fnmatchcase(version, pattern))
            else:
                found.append(pattern)
        return tuple(dict.fromkeys(found))

    def _window(self, wanted: Wanted, question: Question) -> tuple[date, date]:
        """Tell the oldest and the newest day that are wanted; gone days are among them."""
        newest = first = self.days.asking_day
        if wanted.family.dated is not None:
            is_labelled = wanted.what == "error_monitoring.graph"
            newest = newest_point(self.days.today, self.plan.day_labels) if is_labelled else self.days.today
            known = self.began.get((question.app, question.query), newest)
            first = min(known, newest - DAY * (wanted.days - 1))
        return self.plan.since or first, newest

    def _today(self, question: Question) -> Span:
        return self._span(question, self.days.asking_day, self.days.asking_day)

    def _span(self, question: Question, first: date, newest: date) -> Span:
        return Span(
            question=question,
            days=self.days,
            first=first,
            newest=newest,
            settle_days=self.plan.settle_days,
            running=self._running(newest) if FAMILIES[question.endpoint].dated and self.plan.complete_days else 0,
        )

    def _running(self, newest: date) -> int:
        """Count the days up to the newest that are not over."""
        return sum(self.days.ends_at(newest - DAY * back) > self.days.now for back in range(3))
