"""Recipes from the command line: listed, copied, pulled, watched, served; crashes ranked and live windows followed."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing, suppress
from urllib.request import urlopen

import pytest
from running import carbon, running

from apteligent_async.bulk.recipes.recipe import recipe_names, recipe_text

RECIPE = """
apps = ["{app}"]

[recipe]
every_minutes = 60

[[want]]
what = "error_monitoring.pie"
graph = ["crashes", "appLoads", "crashPercent"]
group_by = "os"
"""


@pytest.fixture
def recipe(simulator, tmp_path):
    """Give the file of a recipe about one app."""
    service, _ = simulator
    path = tmp_path / "ours.toml"
    path.write_text(RECIPE.format(app=next(iter(service.world.apps))))
    return path


def test_recipes_are_listed_and_printed(command):
    """A line for each, and the text of one as it is."""
    listed = command("recipes")
    assert [line.split()[0] for line in listed.out.splitlines()] == list(recipe_names())
    assert command("recipes", "grouped").out == recipe_text("grouped")
    unknown = command("recipes", "gruoped")
    assert unknown.code == 1
    assert "did you mean 'grouped'" in unknown.err


def test_a_recipe_is_pulled_with_its_numbers(command, recipe, tmp_path):
    """Rows as of any plan, and beside them the numbers over time; again in the same period, it is no work."""
    out = tmp_path / "out"
    ended = command("pull", "--recipe", recipe, "--out", out, "--quiet", "--json")
    assert ended.code == 0
    first = json.loads(ended.out.splitlines()[-1])
    points = [json.loads(line) for line in (out / "points.jsonl").read_text().splitlines()]
    rows = (out / "rows.jsonl").read_text().splitlines()
    assert len(points) == len(rows) > 3
    assert {each["metric"] for each in points} == {"crashes", "appLoads", "crashPercent"}
    again = command("pull", "--recipe", recipe, "--out", out, "--quiet", "--json")
    assert (first["calls"], json.loads(again.out.splitlines()[-1])["calls"]) == (5, 0)


def test_a_plan_or_a_recipe_is_given(command, recipe):
    """One of them, not both and not neither; and a recipe's file is no mere plan."""
    for wrong in ([], [recipe, "--recipe", "daily"]):
        ended = command("pull", *wrong)
        assert ended.code == 1
        assert "one of them" in ended.err


def test_crashes_can_be_ranked(command, simulator):
    """By users and sessions alike, the worst first, so many as are wanted."""
    service, _ = simulator
    ended = command("crashes", next(iter(service.world.apps)), "--sort-by", "rank", "--top", "3", "--json")
    rows = json.loads(ended.out.splitlines()[-1])["rows"]
    ranks = [(row["unique_session_count"] ** 2 + row["session_count"] ** 2) ** 0.5 for row in rows]
    assert len(ranks) == 3
    assert ranks == sorted(ranks, reverse=True)
    assert ranks == pytest.approx([row["rank"] for row in rows])


def test_live_windows_are_followed(command, simulator):
    """Each window of each app once, however often one asks; as JSON, one object a line."""
    service, _ = simulator
    apps = list(service.world.apps)[:2]
    ended = command("live", *apps, "--follow", "--every", "0.01", "--rounds", "3", "--json")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert len({(line["app_id"], line["start"]) for line in lines}) == len(lines) == 60
    assert [line["start"] for line in lines] == sorted(line["start"] for line in lines)
    assert "crashes" in command("live", apps[0], "--follow", "--rounds", "1").out


def test_a_round_that_fails_is_told(command):
    """An app that there is not: a line for people, and exit code 3."""
    ended = command("live", "0" * 24, "--follow", "--rounds", "1")
    assert ended.code == 3
    assert "apteligent: " in ended.err


def until(is_so):
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def readers_of(ledger):
    """Tell which sinks have written down how far they are."""
    if not ledger.exists():
        return []
    with closing(sqlite3.connect(ledger)) as connection, suppress(sqlite3.OperationalError):
        return connection.execute("SELECT name FROM readers").fetchall()


def test_a_watch_feeds_both_sinks_and_ends_in_order(simulator, recipe, tmp_path):
    """Killed and started again it sends nothing twice; SIGTERM ends it with 0; Prometheus is told the same numbers."""
    service, url = simulator
    told = {"APTELIGENT_TOKEN": service.issue_token(service.accounts[0].client_id), "APTELIGENT_BASE_URL": url}
    folder = tmp_path / "watch"
    with carbon() as daemon:
        lines = daemon.lines
        arguments = ["watch", "--recipe", recipe, "--folder", folder, "--graphite", f"127.0.0.1:{daemon.port}"]
        with running(*arguments, **told) as first:
            until(lambda: readers_of(folder / "ours.sqlite"))
            first.send_signal(signal.SIGKILL)
            first.wait()
        more = recipe.with_stem("more")
        more.write_text(recipe.read_text())
        with running(*arguments, "--recipe", more, **told) as second:
            assert second.stdout.readline() == f"watching ours, more in {folder}\n"
            until(lambda: readers_of(folder / "more.sqlite"))
            second.send_signal(signal.SIGTERM)
            assert second.wait(timeout=20) == 0
        assert lines.total() == len(lines) > 3
    with running("serve-metrics", folder, "--port", "0") as server:
        address = server.stdout.readline().removeprefix("listening on ").strip()
        with urlopen(address, timeout=10) as answer:
            text = answer.read().decode()
        assert sum(line.startswith("apteligent_value{") for line in text.splitlines()) == len(lines)
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 130


def test_there_must_be_something_to_serve(command, tmp_path):
    """An empty folder is named, with what fills it."""
    ended = command("serve-metrics", tmp_path)
    assert ended.code == 1
    assert "apteligent watch" in ended.err
