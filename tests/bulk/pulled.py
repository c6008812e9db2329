"""A simulated account, and all rows of a plan pulled from it without a ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from own_client import client_of

from apteligent_async import StaticToken
from apteligent_async.bulk.expanding import expand
from apteligent_async.bulk.planner import schedule
from apteligent_async.bulk.survey import AppFacts
from apteligent_async.simulator import QuotaSettings, Service, SimulatorTransport, World

NOW = datetime(2016, 12, 12, 18, tzinfo=UTC)


@cache
def world():
    """Make the world once: some apps, with days that begin at several offsets."""
    return World(apps=6, now=NOW)


def facts(*, with_offsets=True):
    """Tell what a survey would of the world's apps."""
    return [
        AppFacts(
            id=app.profile.id,
            name=app.profile.name,
            versions=tuple(version.name for version in app.released_versions),
            latest_version=app.latest_version.name,
            offset_hours=app.profile.offset_h if with_offsets else None,
        )
        for app in world().apps.values()
    ]


def account(*, now=NOW):
    """Make a client of the simulated account at an instant, and the way to it."""
    service = Service(world().at(now), quota=QuotaSettings(limit=10**6))
    way = SimulatorTransport(service)
    return client_of(way, StaticToken(service.issue_token(service.accounts[0].client_id))), way


async def fill(client, fetches):
    """Ask for everything; give rows by the key of their unit, and check that every unit was answered."""
    had = {}
    for fetch in fetches:
        async for answer in fetch.answers(client):
            for key, rows in fetch.rows_of(answer).items():
                had.setdefault(key, []).extend(rows)
        assert {unit.key for unit in fetch.units} <= had.keys()
    return had


async def pull(client, plan, *, apps=None, allow=None, now=NOW):
    """Pull a plan: what lists name is asked for when the lists are there."""
    apps = facts() if apps is None else apps
    units = [unit for unit in expand(plan, apps, now) if not unit.is_gone]
    had = await fill(client, schedule(units, allow=allow))
    listed = {unit.key: list(dict.fromkeys(row.key for row in had[unit.key])) for unit in units if unit.is_listing}
    every = [unit for unit in expand(plan, apps, now, listed=listed) if not unit.is_gone]
    had |= await fill(client, schedule([unit for unit in every if unit.key not in had], allow=allow))
    return [row for unit in every for row in had[unit.key]]
