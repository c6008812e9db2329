"""A day of both sinks: an hour down, the process killed twice, one call in ten failing, and every number exactly once.

The watch is a process that is killed by SIGKILL, carbon listens on a socket, and Prometheus scrapes `serve-metrics`,
which is a process of its own. Only the day is simulated: its clock stands still while anybody is talked to.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import anyio
import pytest
from counterparts_of_sinks import labelled, lined, samples_in
from day_in_process import RECIPES
from running import carbon, running
from watched import BEGAN

from apteligent_async.bulk.recipes.points import path_part
from apteligent_async.bulk.sinks.graphite import graphite_line
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import ledger_of
from apteligent_async.simulator import World

HOUR = 3600
LIVES = [
    (0, 7 * HOUR + 0.3),  # within a run: one answer is kept, others are on their way
    (7 * HOUR + 300, 8.5 * HOUR + 0.3),  # likewise, and while both sinks are down
    (8.5 * HOUR + 300, 23.8 * HOUR),
]
"""From when to when each process lives, in seconds since the day began; each is killed."""

DOWN = range(8 * HOUR, 9 * HOUR)
PERIOD = timedelta(minutes=30)
CHILD = [sys.executable, str(Path(__file__).with_name("day_in_process.py"))]
APP = next(iter(World(apps=1, now=BEGAN).apps.values()))


class Day:
    """What happened, as the service, the watch and the sinks tell of it."""

    def __init__(self, folder, daemon, address):
        self.folder = folder
        self.carbon = daemon
        self.address = address
        self.samples = Counter()
        self.answers = []
        self.runs = []
        self.calls = Counter()

    def live(self, backend, birth_s, death_s):
        """Let a process live until it is killed."""
        path = os.pathsep.join(sys.path)
        with running(backend, self.folder, self.carbon.port, birth_s, death_s, command=CHILD, PYTHONPATH=path) as child:
            for line in child.stdout:
                self.note(json.loads(line))
                if "halt" in line:
                    child.stdin.write("\n")
                    child.stdin.flush()
            assert child.wait(timeout=10) == -signal.SIGKILL

    def note(self, told):
        """Take in what a process tells, and use its halts."""
        match told:
            case {"halt": elapsed_s}:
                self.look_around(elapsed_s)
            case {"answered": _}:
                self.answers.append(told)
            case {"over": _}:
                self.runs.append(told)
            case {"asked": _}:
                self.calls.update(told)

    def look_around(self, elapsed_s):
        """Take carbon down or up at its hours, and scrape, as Prometheus does every five minutes."""
        if elapsed_s == DOWN.start:
            self.carbon.close()
        if elapsed_s == DOWN.stop:
            self.carbon.open()
        if elapsed_s not in DOWN:
            with urlopen(f"{self.address}?reader=prom", timeout=10) as answer:
                self.samples.update(samples_in(answer.read().decode()))

    async def numbers(self):
        """Give every number of the ledgers, which are made where there are none."""
        found = []
        for recipe in RECIPES:
            async with Spool(ledger_of(self.folder, recipe)) as spool:
                found += await spool.unread("nobody", most=10**6)
        return found


def slot_of(answer):
    """Tell for which run the service was asked."""
    return int((BEGAN + timedelta(seconds=answer["at"]) // PERIOD * PERIOD).timestamp())


def path_of(*parts):
    """Write a path as the importer did."""
    return ".".join(["root", *map(path_part, (APP.profile.name, *parts))])


def last_answers(answers, grouping):
    """Give the last answer to each question of each run: one that was under way at a kill reached nobody."""
    found = [each for each in answers if each["query"].get("groupBy") == grouping]
    return {(slot_of(each), each["query"]["graph"]): each["data"] for each in found}


def totals_by_version(answers):
    """Tell what carbon must have of the running totals: each group's, at the run's instant."""
    return {
        (path_of("grouped", "appVersion", each["name"], metric), at): each["value"]
        for (at, metric), data in last_answers(answers, "appVersion").items()
        for each in data["slices"]
    }


def calls_by_service(answers):
    """Tell what carbon must have of the services: each one's, at the end of the window that the service states."""
    return {
        (path_of("services", "service", each["label"], metric), end_of(data)): each["value"]
        for (_, metric), data in last_answers(answers, "service").items()
        for each in data["slices"]
    }


def end_of(data):
    """Tell when a window ends, which is told on the app's clock."""
    ends_at = datetime.fromisoformat(data["end"]).replace(tzinfo=UTC)
    return int((ends_at - timedelta(hours=APP.profile.offset_h)).timestamp())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_number_comes_exactly_once(backend, tmp_path):
    """Both have what the ledgers have, each number once, and among that all that the service ever answered."""
    with carbon() as daemon:
        day = Day(tmp_path, daemon, address="")
        assert anyio.run(day.numbers) == []
        with running("serve-metrics", tmp_path, "--port", "0") as server:
            day.address = server.stdout.readline().removeprefix("listening on ").strip()
            for birth_s, death_s in LIVES:
                day.live(backend, birth_s, death_s)
    numbers = anyio.run(day.numbers)
    assert daemon.lines == Counter(graphite_line("root", each) for each in numbers)
    assert day.samples == Counter(map(labelled, numbers))
    assert day.calls["struck"] > day.calls["asked"] / 20
    kept = {lined(each)[:2]: each.point.value for each in numbers}
    for expected in (totals_by_version(day.answers), calls_by_service(day.answers)):
        assert len(expected) > 1000
        assert {each: kept.get(each) for each in expected} == expected
    whole_day = {(BEGAN + PERIOD * number).isoformat() for number in range(48)}
    for name in ("grouped", "services"):
        assert Counter(run["slot"] for run in day.runs if run["over"] == name) == Counter(whole_day)
    days = [APP.calendar.today - timedelta(days=1), APP.calendar.today]
    for date in days:
        begins_at = int(APP.calendar.starts_at(date).timestamp())
        assert len([path for path, at in kept if path.startswith(path_of("daily")) and at == begins_at]) == 8
