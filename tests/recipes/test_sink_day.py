"""A day of both sinks: an hour down, a process killed twice, one call in ten failing, and every number exactly once."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import anyio
import anyio.to_thread
import pytest
from counterparts_of_sinks import Carbon, fetched, labelled, lined, samples_in
from watched import BEGAN, Account, at_once, watch_for

from apteligent_async.bulk.recipes.recipe import Recipe, find_recipe, recipe_text
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress
from apteligent_async.bulk.sinks.scraped import MetricsServer
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import ledger_of
from apteligent_async.simulator import FaultRule, FaultSchedule
from apteligent_async.simulator.faults import Fail

pytestmark = pytest.mark.anyio

HOUR = 3600.0
LIVES = [7.0005, 6.2, 10.4]
"""Hours of each process: the first is killed within a run, and five minutes lie between them."""


def half_hourly(name):
    """Give a shipped recipe every half hour, which makes for a quicker day."""
    text = recipe_text(name).replace("every_minutes = 10\n", "every_minutes = 30\n")
    return Recipe.from_toml(text.replace("every_minutes = 15\n", "every_minutes = 30\n"), name=name)


RECIPES = [find_recipe("daily"), half_hourly("grouped"), half_hourly("services")]


class Prometheus:
    """Scrapes every five minutes by a name of its own, and reads what it gets as Prometheus's client does."""

    def __init__(self, folder):
        self.folder = folder
        self.samples = Counter()
        self.is_down = False

    async def scrape(self):
        """Scrape until cancelled."""
        await anyio.sleep(30)
        async with AsyncExitStack() as stack:
            spools = [await stack.enter_async_context(Spool(ledger_of(self.folder, each))) for each in RECIPES]
            server = MetricsServer(spools=spools)
            while True:
                if not self.is_down:
                    status, body = await fetched(server, "/metrics?reader=prom")
                    assert status == 200
                    self.samples.update(samples_in(body))
                await anyio.sleep(300)


async def down_for_an_hour(*sinks):
    """Take sinks down in the ninth hour."""
    await anyio.sleep(8 * HOUR)
    for sink in sinks:
        sink.is_down = True
    await anyio.sleep(HOUR)
    for sink in sinks:
        sink.is_down = False


async def spooled(folder):
    """Give every number of a folder's ledgers."""
    found = []
    for recipe in RECIPES:
        async with Spool(ledger_of(folder, recipe)) as spool:
            found += await spool.unread("nobody", most=10**6)
    return found


def slots_of(numbers, section):
    """Tell at which instants a recipe has numbers."""
    return {datetime.fromtimestamp(each.point.at, BEGAN.tzinfo) for each in numbers if each.point.section == section}


async def test_every_number_comes_exactly_once(monkeypatch, tmp_path):
    """Carbon and Prometheus have what the ledgers have, each number once; and the ledgers have the day."""
    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)
    account = Account(faults=FaultSchedule([FaultRule(Fail(status=503), probability=0.1)]))
    carbon, prometheus, news = Carbon(), Prometheus(tmp_path), []
    async with carbon.reached() as connect, anyio.create_task_group() as tasks:
        sink = GraphiteSink(TcpAddress("carbon"), root="root", connect=connect)
        tasks.start_soon(down_for_an_hour, carbon, prometheus)
        for hours in LIVES:
            await watch_for(
                account,
                hours * HOUR,
                recipes=RECIPES,
                folder=tmp_path,
                beside=prometheus.scrape,
                sinks=[sink],
                tell=news.append,
            )
            await anyio.sleep(300)
        tasks.cancel_scope.cancel()
    numbers = await spooled(tmp_path)
    assert carbon.lines == Counter(map(lined, numbers))
    assert prometheus.samples == Counter(map(labelled, numbers))
    assert account.service.struck["Fail"] > len(account.asked) / 20
    whole_day = {BEGAN + timedelta(minutes=30 * number) for number in range(47)}
    assert whole_day <= {each.slot for each in news if each.recipe == "grouped" and each.points is not None}
    app = next(iter(account.service.world.apps.values()))
    begins_at = app.calendar.starts_at(app.calendar.today)
    assert whole_day - slots_of(numbers, "grouped") <= {begins_at}  # a day has no totals when it begins
    assert len([each for each in numbers if each.point.section == "grouped"]) >= 47 * 40
    midnights = {app.calendar.starts_at(app.calendar.today - timedelta(days=back)) for back in (1, 2)}
    assert midnights <= slots_of(numbers, "daily")
