"""``apteligent limits``: what is left of the rate budget, from where it is shared or at the price of one cheap call."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
from attrs import evolve, field, frozen
from rich.table import Table

from apteligent_async import AppAttribute, MemoryBudget, RateLimitedError, RetryPolicy
from apteligent_async._budgets.census import take_census
from apteligent_async._budgets.store import StoreGone
from apteligent_async._scheduling.journal import tells_of_request
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.cli.flags import AsJson  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.members import fleet_figures, members_table, queue_text
from apteligent_async.cli.showing.output import open_console, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async import BudgetSnapshot, Event, RedisBudget, SQLiteBudget
    from apteligent_async._budgets.census import Census

__all__ = ["limits"]

_REQUEST = "GET /v2/apps?attributes=appName"
_UNITS = {
    "speed": "Rate-Limit-Remaining is a speed, in calls a minute until the reset",
    "count": "Rate-Limit-Remaining is a count of calls",
    None: "not learned: Rate-Limit-Remaining may be a speed or a count",
}
_INCLUDED = {
    True: "; it counts the call that brings it",
    False: "; it does not count the call that brings it",
    None: "",
}


@frozen
class _Found:
    """What was found out.

    Attributes:
        budget: what there is.
        requests: what it cost: requests that were sent, by endpoint.
        census: who shares it; None where nobody does, or the store cannot say.
        ignorance: what the store did not know, so that a call was made; empty where none was, or nothing is shared.
    """

    budget: BudgetSnapshot
    requests: Counter[str] = field(factory=Counter)
    census: Census | None = None
    ignorance: str = ""

    @property
    def cost(self) -> str:
        logins, total = self.requests["token"], self.requests.total()
        if not total:
            return "Known to the shared budget's store: no call was made."
        login = " and the login" if logins else ""
        why = f"The shared budget's store {self.ignorance}. " if self.ignorance else ""
        return f"{why}Asked with {_REQUEST}{login}: {total} {'call' if total == 1 else 'calls'} of the budget."


def limits(
    *,
    connection: Connection = AS_USUAL,
    as_json: AsJson = False,
) -> None:
    """Show the rate budget: how much there is, what is left, when it resets, and who else spends it.

    Costs one cheap call, and a login where there is no token. A budget that is shared (--budget, APTELIGENT_BUDGET)
    costs nothing where its store knows the present window; there, also who holds tokens and what waits is shown.

        apteligent limits
        apteligent limits --account eu-team --json
        apteligent limits --budget sqlite:///~/budget.db

    Args:
        connection: Where the service is.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    found = anyio.run(_find, connection)
    console = open_console(as_json=as_json)
    table = Table.grid(padding=(0, 2))
    for name, text in _rows(found):
        table.add_row(name, text)
    console.print(table)
    if found.census is not None and found.census.residents:
        console.print(members_table(found.census))
    console.print(found.cost, soft_wrap=True)
    if as_json:
        print_json(_figures(found))


async def _find(connection: Connection) -> _Found:
    """Look where the budget is shared; make the call only where that does not tell."""
    settings = connection.settings()
    budget = settings.budget
    if budget is None or isinstance(budget, MemoryBudget):
        return await _ask(connection)
    census, ignorance = await _look(budget, settings.budget_account)
    if census is not None and not ignorance:
        return _Found(census.budget, census=census)
    asked = await _ask(connection)
    census, _ = await _look(budget, settings.budget_account)
    return evolve(asked, census=census, ignorance=ignorance)


async def _look(budget: SQLiteBudget | RedisBudget, account: str) -> tuple[Census | None, str]:
    """Look at the store: what it knows of the fleet, and what keeps it from knowing the present budget."""
    try:
        census = await take_census(budget, account)
    except StoreGone as error:
        return None, f"cannot be read ({error})"
    return (census, census.outdated) if census is not None else (None, "knows nothing of this client id yet")


async def _ask(connection: Connection) -> _Found:
    """Make the call; a 429 tells as much as an answer, so it is not waited out."""
    requests: Counter[str] = Counter()

    def count(event: Event) -> None:
        if tells_of_request(event):
            requests[event.detail["label"]] += 1

    async with connection.client(RetryPolicy(max_rate_limited=1)) as client:
        client.on_event(count)
        try:
            await client.with_options(deadline=connection.deadline).apps.list([AppAttribute.APP_NAME])
        except RateLimitedError as refusal:
            if refusal.limit is None and refusal.reset is None:
                raise
        return _Found(client.budget(), requests)


def _rows(found: _Found) -> Iterator[tuple[str, str]]:
    budget = found.budget
    yield "limit", "not stated" if budget.limit is None else f"{budget.limit:g} calls a minute"
    yield "calls left", _left(budget)
    yield "reset", "not stated" if budget.reset_s is None else f"in {math.ceil(budget.reset_s)} s"
    yield "bucket", _bucket(budget)
    yield "readings", _UNITS[budget.unit] + _INCLUDED[budget.includes_call]
    yield "others", _others(budget, found.requests.total())
    if found.census is not None:
        yield "leased", f"{found.census.held} calls, taken off those left"
        yield "queue", queue_text(found.census.queued)


def _left(budget: BudgetSnapshot) -> str:
    if budget.is_gated:
        return "none: the service has answered 429, and nobody should send before the reset"
    if budget.left_high == math.inf:
        return f"at least {budget.left_low}"
    if budget.left_high == budget.left_low:
        return str(budget.left_low)
    return f"{budget.left_low} to {budget.left_high:g}"


def _bucket(budget: BudgetSnapshot) -> str:
    length = "length not learned: that takes two resets" if budget.bucket_s is None else f"{budget.bucket_s:g} s"
    return length if budget.bucket_calls is None else f"{length}; {budget.bucket_calls} calls"


def _others(budget: BudgetSnapshot, requests: int) -> str:
    if budget.others_seen:
        return f"somebody else spends this budget: {budget.others_seen} answers show it"
    if not requests:
        return "nobody beside those who share this budget was seen to spend it"
    seen = "one answer cannot show it" if requests == 1 else f"{requests} answers show nobody"
    return f"{seen}; a client that runs longer learns who else spends this budget"


def _figures(found: _Found) -> dict[str, Any]:
    budget = found.budget
    figures: dict[str, Any] = {
        "calls": found.requests.total(),
        "limit": budget.limit,
        "left_low": budget.left_low,
        "left_high": None if budget.left_high == math.inf else budget.left_high,
        "reset_s": None if budget.reset_s is None else round(budget.reset_s, 3),
        "is_gated": budget.is_gated,
        "bucket_s": budget.bucket_s,
        "bucket_calls": budget.bucket_calls,
        "unit": budget.unit,
        "includes_call": budget.includes_call,
        "others_seen": budget.others_seen,
    }
    if found.census is not None:
        figures["fleet"] = fleet_figures(found.census)
    if found.ignorance:
        figures["asked_because"] = f"the shared budget's store {found.ignorance}"
    return figures
