"""The spool: each number once, growth without double counting, and a place for each reader."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apteligent_async.bulk.ledger_file import LedgerFile
from apteligent_async.bulk.recipes.points import Point
from apteligent_async.bulk.sinks.files import write_points_file
from apteligent_async.bulk.spool import KEPT_FOR, Slot, Spool

pytestmark = pytest.mark.anyio

NOON = datetime(2016, 12, 12, 12, tzinfo=UTC)
ASKED = frozenset({"a|list"})


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, as the spool has a thread."""
    return request.param


def slot(number=0):
    """Make a slot of ten minutes."""
    at = NOON + timedelta(minutes=10 * number)
    return Slot(at=at, opened_at=at)


def point(value, number=0, **changes):
    """Make a point at a slot."""
    told = {"app": "Lantern", "section": "s", "metric": "dau", "at": int(slot(number).at.timestamp()), "value": value}
    return Point(**{**told, **changes})


def total(value, number=0, key="h"):
    """Make a count that only grows."""
    return point(value, number, grouping="crashes", key=key, metric="sessions", total_of="a|list")


async def values_of(spool):
    """Give the key and value of every point."""
    return [(each.point.key, each.point.value) for each in await spool.unread("anybody", most=1000)]


async def test_a_run_that_is_read_twice_adds_nothing(tmp_path):
    """The same name and instant are one number, whatever a second reading says of it."""
    async with Spool(tmp_path / "l") as spool:
        await spool.open_slot(slot())
        assert await spool.close_slot(slot(), [point(1.0)], ASKED) == 1
    async with Spool(tmp_path / "l") as spool:
        assert await spool.close_slot(slot(), [point(2.0)], ASKED) == 0
        assert await values_of(spool) == [(None, 1.0)]
        assert await spool.slot() == evolve(slot(), is_open=False)


async def test_what_is_written_alike_stays_apart(tmp_path):
    """Two groups whose names differ in a dot, or two apps, have a path each, in every run and in any order."""
    alike = [point(1.0, key="a.b", grouping="service"), point(2.0, key="a-b", grouping="service")]
    apps = [point(3.0, app="Lantern"), point(4.0, app="Lantern!")]
    async with Spool(tmp_path / "l") as spool:
        assert await spool.close_slot(slot(), [*alike, *apps], ASKED) == 4
    async with Spool(tmp_path / "l") as spool:
        later = [evolve(each, at=each.at + 600) for each in [*reversed(alike), *reversed(apps)]]
        assert await spool.close_slot(slot(1), later, ASKED) == 4
        told = await spool.unread("anybody", most=100)
        newest = await spool.newest()
    paths = {}
    for each in told:
        paths.setdefault((each.point.app, each.point.key), set()).add(each.path)
    assert [len(found) for found in paths.values()] == [1, 1, 1, 1]
    assert len(set.union(*paths.values())) == 4
    assert [(each.path, each.point.at) for each in newest] == sorted((each.path, each.point.at) for each in told[4:])
    assert paths["Lantern", "a.b"] == {"Lantern.s.service.a-b.dau"}
    assert all(path.count(".") == 4 for path in paths["Lantern", "a-b"])


async def test_growth_is_counted_from_the_first_answer_on(tmp_path):
    """History is no event; what turns up later is counted whole; nothing grows twice; a deep fall starts afresh."""
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(), [total(195_829)], ASKED)
        assert await values_of(spool) == []
        await spool.close_slot(slot(1), [total(195_832, 1), total(4, 1, "new")], ASKED)
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(1), [total(195_832, 1), total(4, 1, "new")], ASKED)
        await spool.close_slot(slot(2), [total(100, 2), total(4, 2, "new")], ASKED)
        await spool.close_slot(slot(3), [total(107, 3)], ASKED)
        assert await values_of(spool) == [("h", 3.0), ("new", 4.0), ("h", 7.0)]


async def test_a_count_that_is_corrected_is_not_counted_twice(tmp_path):
    """Down by a little and up again is no new session; what passes the highest is."""
    async with Spool(tmp_path / "l") as spool:
        for number, count in enumerate((100, 98, 100, 103)):
            await spool.close_slot(slot(number), [total(count, number)], ASKED)
        assert await values_of(spool) == [("h", 3.0)]


async def test_a_question_that_was_not_answered_is_no_beginning(tmp_path):
    """A list that failed at first is not taken for an empty one: its groups are history when it comes."""
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(), [], frozenset())
        await spool.close_slot(slot(1), [total(50, 1)], ASKED)
        await spool.close_slot(slot(2), [total(51, 2)], ASKED)
        assert await values_of(spool) == [("h", 1.0)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(growths=st.lists(st.integers(-50, 50), min_size=1, max_size=6), twice=st.sets(st.integers(0, 6)))
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_all_growth_adds_up(growths, twice, tmp_path_factory):
    """However often runs are read again after a restart, and counts corrected, the numbers add up to the growth."""
    path, count, highest = tmp_path_factory.mktemp("spool") / "l", 1000, 1000
    async with Spool(path) as spool:
        await spool.close_slot(slot(), [total(count)], ASKED)
    for number, growth in enumerate(growths, 1):
        count += growth
        highest = max(highest, count)
        for _ in range(2 if number in twice else 1):
            async with Spool(path) as spool:
                await spool.close_slot(slot(number), [total(count, number)], ASKED)
    async with Spool(path) as spool:
        assert sum(value for _, value in await values_of(spool)) == highest - 1000


async def test_each_reader_has_a_place_of_its_own(tmp_path):
    """A reader is given what it has not had, in order, also in another process; others are none of its business."""
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(), [point(float(n), n) for n in range(5)], ASKED)
        first = await spool.unread("carbon", most=2)
        assert [each.point.value for each in first] == [0, 1]
        await spool.mark_read("carbon", first[-1].number)
    async with Spool(tmp_path / "l") as spool:
        assert [each.point.value for each in await spool.unread("carbon", most=9)] == [2, 3, 4]
        assert len(await spool.unread("other", most=9)) == 5
        assert [each.point.value for each in await spool.newest()] == [4]


async def test_whoever_looks_in_takes_nothing_away(tmp_path):
    """A pull in this process opens the same file, and others read it: what is written afterwards is there."""
    path = tmp_path / "l"
    async with Spool(path) as spool:
        await spool.close_slot(slot(), [point(1.0)], ASKED)
        LedgerFile.open(path).close()
        reading = f"import sqlite3; sqlite3.connect({str(path)!r}).execute('SELECT * FROM readers').fetchall()"
        await anyio.run_process([sys.executable, "-c", reading])
        await spool.mark_read("carbon", 1)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT * FROM readers").fetchall() == [("carbon", 1)]


async def test_numbers_are_kept_for_thirty_days(tmp_path):
    """After the run that they came of, however old they are; then they go, read or not."""
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(), [point(1.0), point(4.0, at=1)], ASKED)
        assert await values_of(spool) == [(None, 1.0), (None, 4.0)]
        later = slot(0).at + KEPT_FOR + timedelta(minutes=10)
        after = Slot(at=later, opened_at=later)
        assert await spool.close_slot(after, [point(2.0), point(3.0, at=int(later.timestamp()))], ASKED) == 1
        assert await values_of(spool) == [(None, 3.0)]


async def test_all_numbers_can_be_had_as_a_file(tmp_path):
    """A line of JSON each, the oldest first."""
    async with Spool(tmp_path / "l") as spool:
        await spool.close_slot(slot(), [point(2.0, 1), point(1.0)], ASKED)
    assert await write_points_file(tmp_path / "l", tmp_path) == 2
    lines = [json.loads(line) for line in (tmp_path / "points.jsonl").read_text().splitlines()]
    assert [(line["at"], line["path"], line["value"]) for line in lines] == [
        ("2016-12-12T12:00:00+00:00", "Lantern.s.dau", 1.0),
        ("2016-12-12T12:10:00+00:00", "Lantern.s.dau", 2.0),
    ]
