"""What a run of a pull does: a survey, then rounds of calls, as what lists name is wanted when the lists are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio.lowlevel
from attrs import define, field

from apteligent_async.bulk.agenda import Agenda, names_in, units_of
from apteligent_async.bulk.crew import Crew, UnitResult
from apteligent_async.bulk.expanding import spread
from apteligent_async.bulk.ledger import ACCOUNT, SURVEY
from apteligent_async.bulk.survey import Survey, take_survey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from apteligent_async.bulk.ledger import Ledger
    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.report import Tally
    from apteligent_async.bulk.runner import PullOptions
    from apteligent_async.bulk.units import Fetch, Question
    from apteligent_async.client import ApteligentClient

__all__ = ["Rounds"]

_AT_ONCE = 256
"""Units or calls that are looked at before others have their turn."""


@define(eq=False, kw_only=True)
class Rounds:
    """The rounds of one run; the state is its workers.

    Attributes:
        client: whom to ask.
        plan: what is wanted.
        ledger: keeps what came; open.
        options: how it is run.
        tally: counts.
        hand_on: takes each result.
    """

    client: ApteligentClient
    plan: Plan
    ledger: Ledger
    options: PullOptions
    tally: Tally
    hand_on: Callable[[UnitResult], Awaitable[None]]
    _crew: Crew | None = field(default=None, init=False)

    @property
    def waiting(self) -> int:
        """Calls that no worker has begun with."""
        return 0 if self._crew is None else self._crew.waiting

    async def work_off(self) -> None:
        """Ask for everything that is due.

        Raises:
            ApteligentError: the apps could not be listed, or the ledger cannot be read or written.
        """
        survey = await self._surveyed()
        crew = self._crew = self._new_crew(survey)
        renewed_at = None if self.options.renewed_at is None else survey.instant_of(self.options.renewed_at)
        now = renewed_at or survey.now
        listed: Mapping[str, Sequence[str]] = {}
        done: set[Question] = set()
        began = await self.ledger.began()
        while True:
            spans = spread(self.plan, survey.apps, now, listed=listed, began=began)
            agenda = Agenda(
                spans=spans,
                had=await self.ledger.register(units_of(spans)),
                now=now,
                renewed_at=renewed_at,
                allow=self.options.allow,
                done=done,
            )
            await self._count(agenda)
            await crew.work_off(agenda.calls, await _length(agenda.calls))
            done.update(span.question for span in spans)
            named = await self._listed(agenda)
            if named == listed:
                break
            listed = named
        self.tally.gaps = await self.ledger.missed()

    async def _count(self, agenda: Agenda) -> None:
        """Add what is wanted, and what of it is there, to the tally; others have their turn meanwhile."""
        for place, (unit, fetched_at) in enumerate(agenda):
            is_had = fetched_at is not None
            self.tally.units += is_had or not unit.is_gone
            self.tally.skipped += is_had and not agenda.is_due(unit, fetched_at)
            if not place % _AT_ONCE:
                await anyio.lowlevel.checkpoint()

    async def _listed(self, agenda: Agenda) -> dict[str, tuple[str, ...]]:
        """Give what lists name, by the key of the list's unit."""
        brought = () if self._crew is None else self._crew.brought
        return {
            unit.key: names_in(await self.ledger.rows_of(unit.key))
            for unit, fetched_at in agenda.listings
            if fetched_at is not None or unit.key in brought
        }

    async def _surveyed(self) -> Survey:
        """Give today's survey; the kept one if these credentials took it, so that a run taken up wants the same."""
        kept, clock = await self.ledger.note(SURVEY), self.options.clock()
        before = None if kept is None else Survey.from_json(json.loads(kept))
        is_ours = await self.ledger.note(ACCOUNT) == self.client.account
        if before is not None and is_ours and before.is_fresh(clock):
            return before
        survey = await take_survey(self.client, clock=clock, plan=self.plan, before=before)
        await self.ledger.keep_note(SURVEY, json.dumps(survey.to_json()))
        await self.ledger.keep_note(ACCOUNT, self.client.account)
        return survey

    def _new_crew(self, survey: Survey) -> Crew:
        return Crew(
            size=self.options.concurrency,
            client=self.client,
            ledger=self.ledger,
            tally=self.tally,
            stamp=lambda: survey.instant_of(self.options.clock()),
            hand_on=self.hand_on,
        )


async def _length(calls: Iterable[Fetch]) -> int:
    """Count calls without holding them; others have their turn meanwhile."""
    length = 0
    for length, _ in enumerate(calls, 1):
        if not length % _AT_ONCE:
            await anyio.lowlevel.checkpoint()
    return length
