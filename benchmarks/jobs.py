"""What jobs that people ran cost: as their programs asked, in a plain loop over our client, and as a plan.

J1 is a round of the Graphite importer (the day before, the running totals, the services and the live windows of each
app), J2 a round of the Splunk feed, J5 the table of sixty days. Time is virtual: hours of waiting take seconds.

J1's loops run for ever; how many calls they want in an hour is told besides what the service allows.

    python -m benchmarks.jobs --apps 40 --limit 20 --json
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
from attrs import asdict, define, field, frozen

from apteligent_async import ApteligentClient, ApteligentError, MemoryBudget, Plan, RatePolicy, StaticToken
from apteligent_async.bulk.expanding import expand
from apteligent_async.bulk.planner import dry_run, plain_loop
from apteligent_async.bulk.runner import new_pull
from apteligent_async.bulk.survey import take_survey
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World
from apteligent_async.testing import run_virtually
from benchmarks.job_patterns import PATTERNS, PLANS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from apteligent_async.bulk.units import Unit
    from benchmarks.job_patterns import Ask

__all__ = ["Cost", "compare", "demand"]

_NOW: Final = datetime(2016, 12, 12, 20, tzinfo=UTC)
_WAY_S: Final = 0.1
_WORKERS: Final = 20


@frozen(kw_only=True)
class Cost:
    """What a job took.

    Attributes:
        job: ``J1``, ``J2`` or ``J5``.
        way: ``existing`` program, ``loop`` over our client, ``plan``, or ``plan, guesses allowed``.
        calls: requests that arrived at the service.
        hours: from the first call to the last answer.
        rate_limited: answers of 429.
        lost: calls that were never answered, given up by whoever made them.
    """

    job: str
    way: str
    calls: int
    hours: float
    rate_limited: int
    lost: int


@define(eq=False)
class _Counted:
    """The simulated account and what it has seen."""

    service: Service
    transport: SimulatorTransport
    refused: list[float] = field(factory=list)

    @classmethod
    def make(cls, apps: int, limit: int) -> _Counted:
        refused: list[float] = []

        def witness(_: object, answer: Any, now: float) -> None:
            if answer.status == 429:
                refused.append(now)

        service = Service(World(apps=apps, now=_NOW), quota=QuotaSettings(limit=limit), witness=witness)
        return cls(service, SimulatorTransport(service, up=_WAY_S, down=_WAY_S), refused)

    def token(self) -> str:
        return self.service.issue_token(DEMO_ACCOUNT.client_id)

    def client(self) -> ApteligentClient:
        return ApteligentClient(
            StaticToken(self.token()),
            base_url="http://127.0.0.1:9",
            transport=self.transport,
            budget=MemoryBudget(),
            policy=RatePolicy(mode="exclusive"),
        )


@define(eq=False)
class _Program:
    """A program as it was: it asks, and takes what is no answer for none. The state is what it lost."""

    http: httpx.AsyncClient
    lost: int = 0

    async def ask(self, path: str, *, tries: int = 1, pause_s: float = 0.0, **query: Any) -> Any:
        """Give the body of an answer; None where there is none after so many tries."""
        for attempt in range(tries):
            if attempt:
                await anyio.sleep(pause_s)
            answer = await self.http.get(path, params=query)
            if answer.status_code == 200:
                return answer.json()
        self.lost += 1
        return None


def compare(jobs: Sequence[str], *, apps: int, limit: int) -> tuple[list[Cost], dict[str, list[dict[str, Any]]]]:
    """Run each job in each way; give the costs, and by job what each saving saves and on which fact.

    Args:
        jobs: which.
        apps: apps of the account.
        limit: calls a minute.
    """
    costs, savings = [], {}
    for job in jobs:
        costs.append(_run(job, "existing", _existing(PATTERNS[job]), apps, limit))
        costs.append(_run(job, "loop", _loop(PLANS[job]), apps, limit))
        costs.append(_run(job, "plan", _plan(PLANS[job], None), apps, limit))
        every = ("all-apps", "same-day-totals", "mixed-day-totals", "top-five")
        costs.append(_run(job, "plan, guesses allowed", _plan(PLANS[job], every), apps, limit))
        savings[job] = run_virtually(_savings, PLANS[job], apps)
    return costs, savings


def demand(apps: int, limit: int) -> dict[str, int]:
    """Tell how many calls an hour J1's four loops want, as they were counted in its program, and how many there are.

    Per app, eight a day, nine every ten minutes, five every fifteen, and one every five minutes at the least or every
    one at the most.
    """
    steady = 8 * apps / 24 + 9 * apps * 6 + 5 * apps * 4
    return {
        "wanted_at_least": round(steady + 12 * apps),
        "wanted_at_most": round(steady + 60 * apps),
        "allowed": 60 * limit,
    }


def _run(job: str, way: str, work: Callable[[_Counted], Awaitable[int]], apps: int, limit: int) -> Cost:
    async def timed() -> Cost:
        account, began_at = _Counted.make(apps, limit), anyio.current_time()
        lost = await work(account)
        hours = (anyio.current_time() - began_at) / 3600
        refused = len(account.refused)
        return Cost(
            job=job, way=way, calls=account.transport.calls, hours=round(hours, 3), rate_limited=refused, lost=lost
        )

    return run_virtually(timed)


def _existing(pattern: Callable[[Ask], Awaitable[None]]) -> Callable[[_Counted], Awaitable[int]]:
    async def work(account: _Counted) -> int:
        headers = {"Authorization": f"Bearer {account.token()}"}
        base = "http://127.0.0.1:9"
        async with httpx.AsyncClient(transport=account.transport, base_url=base, headers=headers, timeout=60) as http:
            program = _Program(http)
            await pattern(program.ask)
            return program.lost

    return work


def _loop(text: str) -> Callable[[_Counted], Awaitable[int]]:
    async def work(account: _Counted) -> int:
        async with account.client() as client:
            plan, listed, lost, tried = Plan.from_toml(text), dict[str, tuple[str, ...]](), 0, set[str]()
            survey = await take_survey(client, clock=_NOW)
            for _ in range(2):  # what lists name is known when the lists were had
                units = [each for each in expand(plan, survey.apps, _NOW, listed=listed) if not each.is_gone]
                new = [each for each in units if each.key not in tried]
                tried.update(each.key for each in new)
                lost += await _ask_one_by_one(client, new, listed)
            return lost

    return work


async def _ask_one_by_one(client: ApteligentClient, units: Sequence[Unit], listed: dict[str, tuple[str, ...]]) -> int:
    lost = 0
    for fetch in plain_loop(units):
        try:
            async for answer in fetch.answers(client):
                for key, rows in fetch.rows_of(answer).items():
                    if any(each.key == key and each.is_listing for each in fetch.units):
                        names = (*listed.get(key, ()), *(row.key for row in rows if row.key is not None))
                        listed[key] = tuple(dict.fromkeys(names))
        except ApteligentError:
            lost += 1
    return lost


def _plan(text: str, allow: Sequence[str] | None) -> Callable[[_Counted], Awaitable[int]]:
    async def work(account: _Counted) -> int:
        began_at = anyio.current_time()
        async with account.client() as client:
            pull = new_pull(
                client.with_options(priority="bulk"),
                Plan.from_toml(text),
                ledger=None,
                concurrency=_WORKERS,
                allow=allow,
                clock=lambda: _NOW + timedelta(seconds=anyio.current_time() - began_at),
            )
            async for _ in pull:
                pass
            return pull.report.failed

    return work


async def _savings(text: str, apps: int) -> list[dict[str, Any]]:
    account, plan = _Counted.make(apps, 10**6), Plan.from_toml(text)
    async with account.client() as client:
        survey = await take_survey(client, clock=_NOW, plan=plan)
        units = [each for each in expand(plan, survey.apps, _NOW) if not each.is_gone]
    return [
        {**asdict(use.saving), "is_used": use.is_used, "calls_saved": use.calls_saved} for use in dry_run(units).savings
    ]


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__.splitlines()[0])
    parser.add_argument("--apps", type=int, default=40, help="apps of the account (%(default)s)")
    parser.add_argument("--limit", type=int, default=20, help="calls a minute (%(default)s)")
    parser.add_argument("--jobs", nargs="+", choices=list(PLANS), default=list(PLANS), help="which jobs")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    wanted = parser.parse_args(given)
    costs, savings = compare(wanted.jobs, apps=wanted.apps, limit=wanted.limit)
    print(f"{'job':4} {'way':22} {'calls':>7} {'hours':>8} {'429s':>7} {'lost':>7}")
    for each in costs:
        print(f"{each.job:4} {each.way:22} {each.calls:7} {each.hours:8.3f} {each.rate_limited:7} {each.lost:7}")
    if "J1" in wanted.jobs:
        an_hour = demand(wanted.apps, wanted.limit)
        print("J1: {wanted_at_least} to {wanted_at_most} calls an hour wanted, {allowed} allowed".format(**an_hour))
    for job, uses in savings.items():
        for use in uses:
            if use["calls_saved"]:
                used = "used" if use["is_used"] else "not used unless allowed"
                saved = f"saves {use['calls_saved']} calls (grade {use['grade']}, {used})"
                print(f"{job}: {use['name']} {saved}: {use['fact']}")
    if wanted.json:
        told = {"costs": [asdict(each) for each in costs], "savings": savings}
        print(json.dumps({**told, "J1_an_hour": demand(wanted.apps, wanted.limit)}))


if __name__ == "__main__":
    main()
