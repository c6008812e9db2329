"""The shipped recipes against the simulated account: what the old programs got wrong, and that ours get it right."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise

import anyio
import anyio.to_thread
import pytest
from watched import BEGAN, Account, at_once, watch_for

from apteligent_async.bulk.recipes.recipe import Recipe, find_recipe, recipe_text
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import ledger_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def without_threads(monkeypatch):
    """Write files at once, as virtual time has no threads."""
    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)


async def run(name, folder, *, minutes=1.0, apps=1, witness=None):
    """Run a recipe; give the account with what it was asked, and the points."""
    recipe = find_recipe(name) if isinstance(name, str) else name
    account, news = Account(apps=apps, limit=10_000, witness=witness), []
    await watch_for(account, 60 * minutes, recipes=[recipe], folder=folder, tell=news.append)
    assert news
    assert all(each.report.is_complete for each in news)
    async with Spool(ledger_of(folder, recipe)) as spool:
        return account, [each.point for each in await spool.unread("nobody", most=10**6)]


async def test_each_page_is_asked_for_once(tmp_path):
    """The Splunk feed asked for the first page twice; here no page of the table is asked for again."""
    account, _ = await run("crashes", tmp_path)
    pages = Counter(query.get("pageNum", "1") for _, path, query in account.asked if "paginatedtable" in path)
    assert len(pages) > 1
    assert set(pages.values()) == {1}
    lists = [query for _, path, query in account.asked if "/crash/summaries/" in path]
    assert {"sortBy": "uniqueSessionCount", "sortOrder": "descending", "status": "unresolved"} in lists


async def test_merged_carriers_have_the_rate_of_all_their_loads(tmp_path):
    """The importer summed percentages, to well over what they are; ours is crashes by loads, rounded."""
    _, points = await run("grouped", tmp_path)
    told = defaultdict(dict)
    for point in points:
        if point.grouping == "carrier":
            told[point.key][point.metric] = point.value
    assert {"WiFi", "other"} <= told.keys()
    for figures in told.values():
        assert figures["crashPercent"] == pytest.approx(100 * figures["crashes"] / figures["appLoads"], abs=0.02)


async def test_a_days_number_is_the_days(tmp_path):
    """The importer took a point by its place in the list; ours is that of the app's own day, whichever program asks."""
    account, points = await run("daily", tmp_path, apps=3)
    by_name = {app.profile.name: app for app in account.service.world.apps.values()}
    crashes = [point for point in points if point.metric == "crashes"]
    assert len({point.app for point in crashes}) == 3
    for point in crashes:
        app = by_name[point.app]
        days = {int(app.calendar.starts_at(day).timestamp()): day for day in app.calendar.days(4)[:-1]}
        assert point.value == sum(app.series.crashes(days[point.at]))


async def test_todays_counts_are_the_last_of_the_list(tmp_path):
    """The Splunk feed took the last day of each list, rightly; ours says so by name, and keeps the two kinds apart."""
    last = {}

    def witness(call, answer, _):
        if "/counts/" in call.path:
            last[call.path.split("/")[3]] = json.loads(answer.body)["data"][-1]["value"]

    _, points = await run("cuts", tmp_path, witness=witness)
    told = {point.metric: point.value for point in points if point.grouping is None}
    assert (told["crashCount"], told["exceptionCount"]) == (last["crash"], last["exception"])
    assert {point.at for point in points} == {int(BEGAN.timestamp())}
    cut = {(point.grouping, point.metric) for point in points if "By" not in point.metric}
    assert {(group, metric) for group in ("os", "device", "appVersion") for metric in ("crashes", "volume")} <= cut


async def test_each_measure_sorts_a_list_of_its_own(tmp_path):
    """Whoever asks for one list has the ten slowest endpoints and not the ten busiest; ours asks for each of them."""
    account, points = await run("network", tmp_path)
    asked = Counter(path.rpartition("/")[2] for _, path, _ in account.asked if "performanceManagement" in path)
    assert asked == {"endpoints": 4, "services": 4, "geo": 4}
    listed = Counter((point.grouping, point.metric) for point in points)
    assert len(listed) == 12
    assert set(listed.values()) <= set(range(1, 11))


async def test_a_window_is_kept_once_at_its_end(tmp_path):
    """The importer took the collector's clock; the windows of a quarter of an hour follow each other without a hole."""
    _, points = await run("services", tmp_path, minutes=61)
    ends = sorted({point.at for point in points})
    begins_at = int(BEGAN.timestamp())
    assert ends == [begins_at + 900 * number for number in range(5)]
    assert {point.metric for point in points} == {"dataIn", "dataOut", "latency", "volume", "errors"}


async def test_live_windows_neither_overlap_nor_leave_holes(tmp_path):
    """Each ten seconds once, though every run tells of five minutes."""
    _, points = await run("live", tmp_path, minutes=16)
    starts = sorted(point.at for point in points if point.metric == "appLoads")
    assert len(starts) == len(set(starts)) >= 4 * 30
    assert {later - sooner for sooner, later in pairwise(starts)} == {10}


async def test_names_of_userflows_reach_the_service_whole(tmp_path):
    """Names are free text, which two programs put into the path as it was; nobody's traces are asked for."""
    account, points = await run("userflows", tmp_path)
    asked = {path.rpartition("/")[2] for _, path, _ in account.asked if "/group/" in path}
    listed = {point.key for point in points if point.grouping == "userflow"}
    assert asked == listed
    assert any(not name.isalnum() for name in listed)
    assert not [path for _, path, _ in account.asked if "traces" in path]


async def test_the_newest_version_is_followed(tmp_path):
    """The dashboard's filter stood where it had no effect; ours is the version's own, and adoption a true share."""
    account, points = await run("release", tmp_path)
    app = next(iter(account.service.world.apps.values()))
    assert {point.key for point in points if point.grouping == "appVersion"} == {app.latest_version.name}
    shares = [point.value for point in points if point.metric == "adoptionPercent"]
    assert shares
    assert all(0 <= share <= 100 for share in shares)
    filters = [query for _, path, query in account.asked if path == "/v2/errorMonitoring/graph"]
    assert filters
    assert all(query["filters[appVersion]"] == app.latest_version.name for query in filters)
    lists = [query for _, path, query in account.asked if "/crash/summaries/" in path]
    assert [query["appVersion"] for query in lists] == [app.latest_version.name]


async def test_a_copy_can_be_changed(tmp_path):
    """Two months of days, from the same recipe with one number changed; no day costs a call of its own."""
    text = recipe_text("daily").replace("days = 3\n", "days = 57\n")
    account, points = await run(Recipe.from_toml(text, name="table"), tmp_path)
    graphs = [query for _, path, query in account.asked if path == "/v2/errorMonitoring/graph"]
    assert len(graphs) == 8
    assert len(points) == 8 * 56
