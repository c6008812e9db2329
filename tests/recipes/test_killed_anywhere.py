"""Killed after any statement that SQLite was given, or with lines at carbon that nobody has written down: all is well.

What a killed process leaves is its files, and nothing else: so the files are copied after every statement of a watch,
and a new process begins with each of the copies. That is more than killing a process at so many random instants does.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections import Counter  # noqa: TC003  attrs shows it
from datetime import timedelta
from functools import partial
from pathlib import Path  # noqa: TC003  likewise

import anyio
import anyio.to_thread
import pytest
from attrs import frozen
from counterparts_of_sinks import Carbon, lined
from watched import BEGAN, Account, at_once, watch_for

from apteligent_async.bulk.recipes.points import path_part
from apteligent_async.bulk.recipes.recipe import Recipe
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import ledger_of
from apteligent_async.simulator import World

pytestmark = pytest.mark.anyio

TOTALS = Recipe.from_toml(
    '[recipe]\nevery_minutes = 10\n[[want]]\nwhat = "error_monitoring.pie"\ngraph = "crashes"\ngroup_by = "os"\n',
    name="totals",
)
GROWTH = Recipe.from_toml(
    '[recipe]\nevery_minutes = 10\npoints = "growth"\n[[want]]\nwhat = "crashes.summaries"\n', name="growth"
)
RECIPES = [TOTALS, GROWTH]
PERIOD = timedelta(minutes=10)
MINUTE = 60.0
APP = next(iter(World(apps=1, now=BEGAN).apps.values()))


@frozen
class Moment:
    """What there was at an instant: the files, what carbon had, and how often the service had answered."""

    folder: Path
    elapsed_s: float
    lines: Counter
    answers: int


class Recorder:
    """Keeps every moment at which the files, or what carbon has, differ from those of the moment before."""

    def __init__(self, folder, copies):
        self.folder = folder
        self.copies = copies
        self.moments = []
        self.answers = []
        self.carbon = WitnessingCarbon(self)
        self.clock = None
        self._seen = None

    async def record(self):
        """Watch for two runs and a bit, and keep every moment of it."""
        await live(self.folder, self.carbon, self.answers, 12 * MINUTE, account_made=self.begin)
        self.clock = None

    def begin(self, account):
        """Keep moments from now on."""
        self.clock = account.clock

    def keep(self):
        """Keep this moment."""
        if self.clock is None:
            return
        files = sorted(each for each in self.folder.iterdir() if not each.name.endswith(("-shm", "-lock")))
        seen = (hashlib.sha256(b"".join(each.read_bytes() for each in files)).digest(), self.carbon.lines.total())
        if seen == self._seen:
            return
        self._seen = seen
        copy = shutil.copytree(self.folder, self.copies / str(len(self.moments)))
        elapsed_s = (self.clock() - BEGAN).total_seconds()
        self.moments.append(Moment(copy, elapsed_s, self.carbon.lines.copy(), len(self.answers)))

    def connect(self, *arguments, **options):
        """Open a database whose every statement is a moment."""
        return _CONNECT(*arguments, **options, factory=partial(RecordedConnection, self))


_CONNECT = sqlite3.connect


class RecordedConnection(sqlite3.Connection):
    """A connection that has a moment kept after every statement."""

    def __init__(self, recorder, *arguments, **options):
        super().__init__(*arguments, **options)
        self._recorder = recorder

    def execute(self, statement, *arguments):
        """Run a statement; the disk is not waited for, as what a killed process wrote is not lost."""
        cursor = super().execute(statement.replace("synchronous = FULL", "synchronous = OFF"), *arguments)
        self._recorder.keep()
        return cursor

    def executemany(self, *arguments):
        """Run a statement once for each row; they are within a transaction, which leaves nothing until its end."""
        cursor = super().executemany(*arguments)
        self._recorder.keep()
        return cursor

    def executescript(self, script):
        """Run statements one by one."""
        statement = ""
        for line in script.splitlines():
            statement += f"{line}\n"
            if sqlite3.complete_statement(statement):
                self.execute(statement)
                statement = ""


class WitnessingCarbon(Carbon):
    """A carbon at which lines that have arrived are a moment, too: nobody has a receipt for them yet."""

    def __init__(self, recorder):
        super().__init__()
        self._recorder = recorder

    async def handle(self, stream):
        """Take the lines of a connection."""
        await super().handle(stream)
        self._recorder.keep()


def answered(answers, elapsed_s, call, answer, now):
    """Note what the service has answered, and when in the day."""
    if call.path != "/v2/apps" and "liveStats" not in call.path:
        answers.append((elapsed_s(now), call.path, json.loads(answer.body)["data"]))


async def live(folder, carbon, answers, seconds, *, elapsed_s=0.0, account_made=None):
    """Watch for so long."""
    began_at = anyio.current_time() - elapsed_s
    account = Account(limit=1000, elapsed_s=elapsed_s, witness=partial(answered, answers, lambda now: now - began_at))
    if account_made is not None:
        account_made(account)
    async with carbon.reached() as connect:
        sink = GraphiteSink(TcpAddress("carbon"), root="root", connect=connect)
        await watch_for(account, seconds, recipes=RECIPES, folder=folder, sinks=[sink])


def last_answers(answers):
    """Give what the service said last to each question of each run, the runs in order."""
    found = {}
    for elapsed_s, path, data in answers:
        run = timedelta(seconds=elapsed_s) // PERIOD * PERIOD
        found[int((BEGAN + run).timestamp()), "summaries" in path] = data
    return sorted(found.items())


def expected(answers):
    """Tell what carbon must have: totals as they were told, and sessions as far as they grew from run to run."""
    told, highest, has_begun = {}, {}, False
    for (at, is_list), data in last_answers(answers):
        if not is_list:
            told |= {(path_of("totals", "os", each["name"], "crashes"), at): each["value"] for each in data["slices"]}
            continue
        counts = {each["hash"]: each["sessionCount"] for each in data}
        for hash_, count in counts.items():
            path, before = path_of("growth", "crashes", hash_, "sessions"), highest.get(hash_, 0)
            if has_begun and count > before:
                told[path, at] = count - before
            highest[hash_] = max(count, before)
        has_begun = True
    return told


def path_of(*parts):
    """Write a path as carbon gets it."""
    return ".".join(["root", *map(path_part, (APP.profile.name, *parts))])


async def unreceipted(moment):
    """Tell which lines carbon has of which the files do not say that it has them."""
    found = set()
    for recipe in RECIPES:
        if ledger_of(moment.folder, recipe).exists():
            async with Spool(ledger_of(moment.folder, recipe)) as spool:
                found |= set(map(lined, await spool.unread("graphite carbon:2003 root", most=10**6)))
    return found & moment.lines.keys()


async def test_whatever_a_killed_process_leaves_is_enough(monkeypatch, tmp_path):
    """Nothing is lost, made up or counted twice; carbon is told again only what nobody had written down as received."""
    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)
    recorder = Recorder(tmp_path / "watch", tmp_path / "copies")
    monkeypatch.setattr(sqlite3, "connect", recorder.connect)
    recorder.folder.mkdir()
    await recorder.record()
    assert len(recorder.moments) > 40
    told_again = 0
    for moment in recorder.moments:
        carbon, answers = Carbon(), recorder.answers[: moment.answers]
        carbon.lines = moment.lines.copy()
        pending = await unreceipted(moment)
        elapsed_s = moment.elapsed_s + 30
        await live(moment.folder, carbon, answers, 25 * MINUTE - elapsed_s, elapsed_s=elapsed_s)
        assert {(path, at): value for path, at, value in carbon.lines} == expected(answers)
        assert len(carbon.lines) == len(expected(answers))
        assert {line for line, count in carbon.lines.items() if count > 1} == pending
        told_again += bool(pending)
    assert 0 < told_again < len(recorder.moments) / 4
