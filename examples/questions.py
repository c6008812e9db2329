"""The nine questions of the service's introductory page, each answered by one call.

python examples/questions.py                          asks a simulated account, in this process
python examples/questions.py --region us              asks yours, with the credentials in the environment
python examples/questions.py --base-url http://...    asks another origin, such as that of `apteligent simulate`
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio

from apteligent_async import ApteligentClient, ApteligentError, StaticToken
from apteligent_async.models.tables import printable
from apteligent_async.simulator import DEMO_ACCOUNT, Service, SimulatorTransport, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from apteligent_async.models.apps import App
    from apteligent_async.models.monitoring import Pie

    Ranking = list[tuple[str, float]]
    Question = Callable[[ApteligentClient, App], Awaitable[Ranking]]


async def versions_by_use(client: ApteligentClient, app: App) -> Ranking:
    """Which version has the most users? In app loads of a day."""
    return ranked(await client.error_monitoring.pie(graph="appLoads", group_by="appVersion", app_id=app.id))


async def systems_by_crashes(client: ApteligentClient, app: App) -> Ranking:
    """Which OS version crashes the most? In crashes per 100 app loads."""
    return ranked(await client.error_monitoring.pie(graph="crashPercent", group_by="os", app_id=app.id))


async def services_by_latency(client: ApteligentClient, app: App) -> Ranking:
    """Which service is the slowest? In milliseconds."""
    return ranked(await client.performance_management.pie(graph="latency", group_by="service", app_id=app.id))


async def data_use(client: ApteligentClient, app: App) -> Ranking:
    """How heavy is the app on data? In bytes that each request brings in."""
    return ranked(await client.performance_management.pie(graph="dataIn", group_by="appId", app_id=app.id))


async def devices_by_use(client: ApteligentClient, app: App) -> Ranking:
    """Which devices do users like best? In app loads of a day."""
    return ranked(await client.error_monitoring.pie(graph="appLoads", group_by="device", app_id=app.id))


async def users_of_latest_version(client: ApteligentClient, app: App) -> Ranking:
    """How many users does the latest version have, day by day? The newest day first."""
    latest = {"appVersion": app.latest_version_string or ""}
    graph = await client.error_monitoring.graph(graph="dau", duration=43200, app_id=app.id, filters=latest)
    return [(f"{day:%Y-%m-%d}", users) for day, users in graph.labelled()[::-1] if day and users is not None]


async def apps_by_crashes(client: ApteligentClient, _: App) -> Ranking:
    """What is the crash percentage of each app? In crashes per 100 app loads."""
    return ordered((app.name, app.crash_percent) for app in await client.apps.list(["appName", "crashPercent"]))


async def apps_by_latency(client: ApteligentClient, _: App) -> Ranking:
    """What is the latency of all services, app by app? In milliseconds."""
    return ordered((app.name, app.latency) for app in await client.apps.list(["appName", "latency"]))


async def services_by_errors(client: ApteligentClient, app: App) -> Ranking:
    """Which service fails the most? In percent of its requests."""
    return ranked(await client.performance_management.pie(graph="errors", group_by="service", app_id=app.id))


QUESTIONS: tuple[Question, ...] = (
    versions_by_use,
    systems_by_crashes,
    services_by_latency,
    data_use,
    devices_by_use,
    users_of_latest_version,
    apps_by_crashes,
    apps_by_latency,
    services_by_errors,
)


def ranked(pie: Pie) -> Ranking:
    """Put the slices of a pie in order: the service sends them in none."""
    return ordered((part.label or part.name, part.value) for part in pie.slices)


def ordered(pairs: Iterable[tuple[str, float | None]]) -> Ranking:
    """Leave out what has no value, and put the highest first."""
    known = [(name, value) for name, value in pairs if value is not None]
    return sorted(known, key=lambda pair: pair[1], reverse=True)


def simulated_client() -> ApteligentClient:
    """Make a client of a simulated account, without a socket."""
    service = Service(World(apps=5, now=datetime(2016, 12, 12, 18, tzinfo=UTC)))
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))
    return ApteligentClient(token, base_url="http://localhost", transport=SimulatorTransport(service))


async def answer_all(client: ApteligentClient) -> None:
    """Ask about the app with most users, and print the first three lines of every answer."""
    async with client:
        app = max(await client.apps.list(), key=lambda app: app.dau or 0)
        print(f"About {printable(app.name)}, where one app is meant.")
        for ask in QUESTIONS:
            print(f"\n{ask.__doc__}")
            for name, value in (await ask(client, app))[:3]:
                print(f"    {printable(name):<32} {value:>12,.2f}")


def main() -> None:
    """Choose whom to ask, and ask."""
    parser = argparse.ArgumentParser(description="Answer the nine questions of the introductory page.")
    parser.add_argument("--base-url", help="an origin in place of a region; credentials come from the environment")
    parser.add_argument("--region", choices=["us", "eu"], help="your account's site; credentials likewise")
    chosen = parser.parse_args()
    is_real = chosen.base_url or chosen.region
    client = ApteligentClient(base_url=chosen.base_url, region=chosen.region) if is_real else simulated_client()
    try:
        anyio.run(answer_all, client)
    except ApteligentError as error:
        parser.exit(1, f"{error.message}\n")


if __name__ == "__main__":
    main()
