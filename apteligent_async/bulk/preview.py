"""What a pull would ask for now, found out without asking for it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from attrs import frozen

from apteligent_async.bulk.agenda import Agenda, names_in, units_of
from apteligent_async.bulk.expanding import spread
from apteligent_async.bulk.ledger import ACCOUNT, SURVEY
from apteligent_async.bulk.ledger_file import LedgerFile, explained
from apteligent_async.bulk.planner import DryRun, dry_run
from apteligent_async.bulk.survey import Survey, take_survey

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike

    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.units import Unit
    from apteligent_async.client import ApteligentClient

__all__ = ["Preview", "preview"]


@frozen(kw_only=True)
class Preview:
    """What a pull would do.

    Attributes:
        units: what it would ask for, in plan order.
        had: how many units of the plan are in the ledger.
        cost: calls, before and after savings, and how long they take.
    """

    units: tuple[Unit, ...]
    had: int
    cost: DryRun


async def preview(
    client: ApteligentClient,
    plan: Plan,
    *,
    ledger: str | PathLike[str] | None = None,
    allow: Collection[str] | None = None,
) -> Preview:
    """Say what a pull would do; costs the survey's calls at most, and leaves the ledger as it is.

    Args:
        client: whom to ask.
        plan: what is wanted.
        ledger: the ledger's file, which need not exist yet.
        allow: names of the savings to use, as for `ApteligentClient.pull`.

    Raises:
        ConfigurationError: the plan does not fit the apps, or there is no such saving.
        LedgerError: the ledger cannot be read, or belongs to another account.
    """
    path, clock = None if ledger is None else Path(ledger), datetime.now(UTC)
    kept, account = await anyio.to_thread.run_sync(_kept_survey, path)
    survey = kept if kept is not None and account == client.account and kept.is_fresh(clock) else None
    if survey is None:
        survey = await take_survey(client, clock=clock, plan=plan, before=kept)
    agenda = await anyio.to_thread.run_sync(partial(_agenda, path, plan, survey, allow=allow))
    due = tuple(agenda.due)
    cost = dry_run(due, snapshot=client.budget(), allow=allow)
    return Preview(units=due, had=sum(fetched_at is not None for _, fetched_at in agenda), cost=cost)


def _kept_survey(path: Path | None) -> tuple[Survey | None, str | None]:
    """Read the last survey, and whose it was."""
    if path is None or not path.exists():
        return None, None
    with explained(path, "read"), closing(LedgerFile.reading(path)) as file:
        kept, account = file.note(SURVEY), file.note(ACCOUNT)
    return None if kept is None else Survey.from_json(json.loads(kept)), account


def _agenda(path: Path | None, plan: Plan, survey: Survey, *, allow: Collection[str] | None) -> Agenda:
    """Expand a plan, as far as what lists name is known; without a ledger nothing was had."""
    if path is None or not path.exists():
        spans = spread(plan, survey.apps, survey.now)
        return Agenda(spans=spans, had=[None] * sum(map(len, spans)), now=survey.now, allow=allow)
    with explained(path, "read"), closing(LedgerFile.reading(path)) as file:
        listed: dict[str, tuple[str, ...]] = {}
        while True:
            spans = spread(plan, survey.apps, survey.now, listed=listed, began=file.began())
            agenda = Agenda(spans=spans, had=file.when_had(units_of(spans)), now=survey.now, allow=allow)
            had = [unit.key for unit, fetched_at in agenda.listings if fetched_at is not None]
            if had == [*listed]:
                return agenda
            listed = {key: names_in(file.rows_of(key)) for key in had}
