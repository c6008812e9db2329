"""What a pull would ask for now, found out without asking for it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from attrs import frozen

from apteligent_async.bulk.ledger import SURVEY
from apteligent_async.bulk.ledger_file import LedgerFile, explained
from apteligent_async.bulk.planner import DryRun, dry_run, expand
from apteligent_async.bulk.survey import Survey, take_survey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
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
        LedgerError: the ledger cannot be read.
    """
    clock = datetime.now(UTC)
    kept, had, began = await anyio.to_thread.run_sync(_remembered, None if ledger is None else Path(ledger))
    survey = None if kept is None else Survey.from_json(json.loads(kept))
    if survey is None or not survey.is_fresh(clock):
        survey = await take_survey(client, clock=clock, plan=plan, before=survey)
    units = expand(plan, survey.apps, survey.now, began=began)
    due = tuple(unit for unit in units if unit.is_due(had.get(unit.key), now=survey.now))
    cost = dry_run(due, snapshot=client.budget(), allow=allow)
    return Preview(units=due, had=sum(unit.key in had for unit in units), cost=cost)


def _remembered(ledger: Path | None) -> tuple[str | None, Mapping[str, datetime], Mapping[tuple[str, str], date]]:
    """Read the survey, what was had, and since when each question was wanted; nothing where there is no ledger."""
    if ledger is None or not ledger.exists():
        return None, {}, {}
    with explained(ledger, "read"), closing(LedgerFile.reading(ledger)) as file:
        return file.note(SURVEY), file.had(), file.began()
