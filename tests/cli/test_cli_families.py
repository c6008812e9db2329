"""The commands of the families, against the simulator: what they show, to people and to programs."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from pyarrow import parquet

from apteligent_async.cli import COMMANDS

EVERY_COMMAND = [
    ["apps"],
    ["pie", "*", "--by", "os"],
    ["pie", "*", "--graph", "latency", "--by", "service", "--together"],
    ["graph", "*", "--duration", "7d"],
    ["crashes", "*"],
    ["exceptions", "*"],
    ["trends", "*"],
    ["trends", "*", "--series", "all"],
    ["live", "*"],
    ["services", "*"],
    ["endpoints", "*"],
    ["userflows", "*"],
]
FAMILIES = [*dict.fromkeys(arguments[0] for arguments in EVERY_COMMAND), "crash"]


def app_ids(command):
    """Give the ids of all apps, the worst first."""
    return [row["id"] for row in json.loads(command("apps", "--json").out)["rows"]]


@pytest.mark.parametrize("columns", [60, 100, 200])
@pytest.mark.parametrize("arguments", EVERY_COMMAND, ids=" ".join)
def test_every_table_fits(command, arguments, columns):
    """No line is longer than the terminal is wide, nothing else is said, and it ends well."""
    ended = command(*arguments, "--quiet", columns=columns)
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.out.splitlines()) > 4
    assert max(map(len, ended.out.splitlines())) <= columns
    assert "\x1b" not in ended.out


@pytest.mark.parametrize("arguments", EVERY_COMMAND, ids=" ".join)
def test_every_format_holds_the_same_rows(command, arguments, tmp_path):
    """JSON, lines of JSON, CSV and Parquet come from one table, and none of them leaves a row out."""
    wanted = json.loads(command(*arguments, "--format", "json").out)["rows"]
    lines = [json.loads(line) for line in command(*arguments, "--format", "jsonl").out.splitlines()]
    assert list(lines[0]) == list(wanted[0])
    assert len(lines) == len(wanted) > 4
    assert len(list(csv.DictReader(io.StringIO(command(*arguments, "--format", "csv").out)))) == len(wanted)
    path = tmp_path / "rows.parquet"
    assert command(*arguments, "--output", path).out == ""
    table = parquet.read_table(path)
    assert (table.num_rows, table.column_names) == (len(wanted), list(wanted[0]))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_page_has_an_example(command, name):
    """Of the families and of all others: something to copy."""
    assert re.search(rf"^ *apteligent {name}\b", command(name, "--help", columns=200).out, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_help_has_an_example_that_is_that_command(command, name):
    """Examples stand in the page of each command, which exists, and every flag says what it does."""
    shown = command(name, "--help", columns=200).out
    assert re.search(rf"^ +apteligent {name} ?.*", shown, flags=re.MULTILINE)
    assert not re.search(r"^│ +--[a-z-]+ +[A-Z]* *\[", shown, flags=re.MULTILINE)
    for flag in ["--account", "--region", "--base-url", "--deadline", "--format", "--json", "--output", "--debug"]:
        assert flag in shown


def test_a_graph_keeps_the_latest_days(command):
    """A month is more than a terminal shows; what happened last is not what goes."""
    app = app_ids(command)[0]
    for asked, day in [(["graph", app], "bucket"), (["trends", app, "--series", "dau"], "start")]:
        days = [row[day][:10] for row in json.loads(command(*asked, "--json").out)["rows"]]
        shown = command(*asked).out
        assert days == sorted(days)
        assert [each in re.sub("^.*\n", "", shown) for each in days] == [False] * (len(days) - 20) + [True] * 20
        assert f"and {len(days) - 20} earlier: --top 0 shows all" in shown


def test_the_list_of_commands_names_them_all(command):
    """The first page tells what there is, and how to begin."""
    shown = command("--help").out
    assert all(re.search(rf"^│ {name} ", shown, flags=re.MULTILINE) for name in COMMANDS)
    assert "--install-completion" in shown
    assert re.search(r"^    apteligent apps", shown, flags=re.MULTILINE)
    assert command("--version").out.strip().startswith("0.")


def test_who_is_to_blame_is_found_in_five_commands(command):
    """From the worst app to its worst system, its worst crash, the line of code, and the users who met it."""
    worst = json.loads(command("apps", "--json").out)["rows"][0]
    pie = json.loads(command("pie", worst["id"], "--by", "os", "--json").out)["rows"]
    assert pie[0]["value"] == max(row["value"] for row in pie)
    listed = command("crashes", worst["id"]).out
    short = re.search(r"^([0-9a-f]{8,}) ", listed, flags=re.MULTILINE)[1]
    shown = json.loads(command("crash", worst["id"], short, "--users", "--json").out)
    assert shown["facts"]["hash"].startswith(short)
    assert any(line["suspect"] == ">" for line in shown["stack"])
    assert shown["users"][0]["username"]


def test_the_worst_app_comes_first_and_ratings_from_the_lowest(command):
    """Sorting is by how bad it is."""
    rates = [row["crash_percent"] for row in json.loads(command("apps", "--json").out)["rows"]]
    assert rates == sorted(rates, reverse=True)
    rows = json.loads(command("apps", "--sort-by", "rating", "--json").out)["rows"]
    ratings = [row["rating"] for row in rows if row["rating"] is not None]
    assert ratings == sorted(ratings)
    assert all(row["rating"] is None for row in rows[len(ratings) :])


def test_users_are_personal_and_shown_only_when_asked_for(command, simulator):
    """Without the flag the service is not even asked."""
    service, _ = simulator
    app = app_ids(command)[0]
    before = len(service.quota().log)
    without = command("crash", app, "--versions", "--conditions", "--json")
    assert "users" not in json.loads(without.out)
    assert "user-" not in without.out
    assert len(service.quota().log) == before + 2
    assert "user-" in command("crash", app, "--users").out


def test_a_crash_without_a_hash_is_the_one_that_most_users_met(command):
    """The quickest way to the worst crash costs two calls."""
    app = app_ids(command)[0]
    most = json.loads(command("crashes", app, "--json").out)["rows"][0]
    assert json.loads(command("crash", app, "--json").out)["facts"]["hash"] == most["hash"]


def test_a_whole_hash_costs_one_call(command, simulator):
    """Nothing is looked up that was given."""
    service, _ = simulator
    app = app_ids(command)[0]
    whole = json.loads(command("crashes", app, "--json").out)["rows"][0]["hash"]
    before = len(service.quota().log)
    assert command("crash", app, whole).code == 0
    assert len(service.quota().log) == before + 1


def test_an_exception_is_shown_like_a_crash_but_has_no_users(command):
    """The service lists users for crashes alone, so asking is refused before a call."""
    app = app_ids(command)[0]
    assert "Stack" in command("crash", app, "--kind", "exception").out
    refused = command("crash", app, "--kind", "exception", "--users")
    assert (refused.code, refused.out) == (1, "")
    assert "leave out --users" in refused.err


def test_one_of_several_tables_goes_into_a_file(command, tmp_path):
    """The last that is shown: the stack, or what was asked for after it."""
    app, path = app_ids(command)[0], tmp_path / "conditions.csv"
    command("crash", app, "--conditions", "--output", path)
    assert path.read_bytes().startswith(b"condition,value,count\r\n")


def test_apps_together_are_one_call_and_one_row_for_each(command, simulator):
    """Which app is worst, from a single pie."""
    service, _ = simulator
    ids = app_ids(command)
    before = len(service.quota().log)
    rows = json.loads(command("pie", *ids, "--together", "--by", "appId", "--json").out)["rows"]
    assert len(service.quota().log) == before + 1
    assert {row["name"] for row in rows} <= set(ids)
    assert len(rows) > 5


def test_several_apps_are_asked_at_once_and_told_apart(command):
    """Rows name their app; a pipe gets progress in lines on standard error, unless it is to be quiet."""
    ended = command("pie", "*", "--json")
    assert len({row["app_id"] for row in json.loads(ended.out)["rows"]}) > 10
    assert "12 of 12 done, 0 failed, budget left " in ended.err
    assert command("pie", "*", "--json", "--quiet").err == ""


def test_what_cannot_be_had_is_said_and_ends_with_three(command):
    """Some of it came, and is shown; the rest is named."""
    ended = command("pie", app_ids(command)[0], "f" * 24, "--json")
    assert ended.code == 3
    told = json.loads(ended.out)
    assert told["rows"]
    [failure] = told["failures"]
    assert failure["of"] == "f" * 24
    assert "404" in failure["reason"]
    assert f"apteligent: {failure['of']}: {failure['reason']}" in ended.err


def test_nothing_at_all_is_an_error(command):
    """One error for all, not an empty table."""
    ended = command("live", "f" * 24, "e" * 24)
    assert (ended.code, ended.out) == (1, "")
    assert "404" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pie", "x", "--graph", "crashPercen"], 'Did you mean "crashPercent"'),
        (["pie", "x", "--by", "phase"], '"appVersion"'),
        (["pie"], "requires an argument"),
        (["pie", "x", "--duration", "4x"], "such as 30d"),
        (["crashes", "x", "--since", "yesterday"], "such as 2016-12-01"),
        (["graph", "x", "--end", "2016-13-01"], "such as 2016-12-01"),
        (["apps", "--format", "xml"], '"parquet"'),
        (["apps", "--top", "-1"], "Must be >= 0"),
        (["apps", "--deadline", "nan"], "finite"),
        (["trends", "x", "--series", "dauByOs"], '"dauByVersion"'),
        (["nonsense"], "Available commands"),
        (["services", "x", "--sort-by", "size"], '"latency"'),
    ],
)
def test_a_wrong_flag_is_a_usage_error_that_says_what_is_right(command, arguments, told):
    """Exit code 2, nothing on standard output, and the allowed values."""
    ended = command(*arguments, columns=200)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["apps", "--format", "csv", "--json"], "contradict"),
        (["apps", "--format", "parquet"], "--output"),
        (["pie", "x", "--by", "service"], "latency, volume"),
        (["pie", "x", "--filter", "os"], "FIELD=VALUE"),
        (["trends", "x", "--plot"], "name it"),
        (["apps", "nobody's"], "`apteligent apps` lists"),
        (["crash", "*"], "fits 12 apps"),
        (["apps", "--output", "/nowhere/rows.csv"], "Choose another"),
        (["apps", "--base-url", "http://example.com"], "https://"),
        (["apps", "--account", "nobody"], "apteligent login"),
        (["apps", "--budget", "redis://user:hush@127.0.0.1"], "set APTELIGENT_BUDGET"),
        (["apps", "--budget", "mysql://127.0.0.1"], "sqlite:///path/to/file"),
    ],
)
def test_an_error_says_what_to_do_in_two_lines_at_most(command, arguments, told):
    """Exit code 1, and no traceback."""
    ended = command(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert told in ended.err
    assert ended.err.startswith("apteligent: ")
    assert ended.err.count("\n") <= 2


def test_debug_adds_the_traceback_without_the_token(command):
    """The error's line stays the last but one, and nothing secret is in what stands before it."""
    ended = command("apps", "--debug", APTELIGENT_TOKEN="a-secret-token-that-is-none")
    assert ended.code == 1
    assert ended.err.startswith("Traceback")
    assert "a-secret-token" not in ended.err
    assert ended.err.splitlines()[-2].startswith("apteligent: The service does not accept the token")
    assert "apteligent login" in ended.err.splitlines()[-1]


def test_a_window_that_nothing_attests_is_a_note(command):
    """The answer comes all the same; Python's way of warning, with our source in it, is not for users."""
    ended = command("pie", app_ids(command)[0], "--duration", "45d", "--quiet")
    assert ended.code == 0
    assert ended.err == "apteligent: note: nothing shows that the service accepts duration=64800\n"


def test_a_deadline_that_cannot_be_met_is_told(command):
    """No call takes a microsecond."""
    ended = command("apps", "--deadline", "0.000001")
    assert ended.code == 1
    assert "--deadline" in ended.err


def test_top_limits_files_too(command):
    """And 0 shows all rows in a terminal."""
    assert len(command("apps", "--top", "3", "--format", "jsonl").out.splitlines()) == 3
    assert "more: --top 0 shows all" in command("crashes", "*").out
    assert "more:" not in command("crashes", "*", "--top", "0").out


@pytest.mark.parametrize("arguments", [["pie", "--by", "os"], ["graph"], ["trends", "--series", "crashesByOs"]])
def test_a_plot_takes_the_place_of_the_table_and_a_chart_is_a_file(command, arguments, tmp_path):
    """With JSON the plot goes to standard error; the file says where it is."""
    name, *flags = arguments
    app, chart = app_ids(command)[0], tmp_path / "chart.svg"
    shown = command(name, app, *flags, "--plot")
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 100
    both = command(name, app, *flags, "--plot", "--json", "--chart", chart)
    assert json.loads(both.out)["rows"]
    assert "drawn to" in both.err
    assert "<svg" in chart.read_text()


def test_graphs_count_days_and_network_graphs_that_do_not_exist_say_so(command):
    """One row for each day."""
    app = app_ids(command)[0]
    rows = json.loads(command("graph", app, "--graph", "dau", "--duration", "7d", "--json").out)["rows"]
    assert len({row["bucket"] for row in rows}) == len(rows) == 7
    missing = command("graph", app, "--graph", "latency")
    assert missing.code == 1
    assert "404" in missing.err


def test_a_userflow_is_shown_by_how_it_ended(command):
    """By its name, as it is listed."""
    app = app_ids(command)[0]
    flow = json.loads(command("userflows", app, "--json").out)["rows"][0]
    assert flow["failRate"] is not None
    ended = json.loads(command("userflows", app, "--flow", flow["name"], "--json").out)["rows"]
    assert {"failed", "succeeded"} <= {row["outcome"] for row in ended}


def test_a_budget_is_shared_with_other_commands(command, tmp_path):
    """Two commands that name one file spend one budget."""
    budget = f"sqlite://{tmp_path}/budget.db"
    assert command("apps", "--budget", budget).code == 0
    assert (tmp_path / "budget.db").exists()
    assert command("live", "*", "--budget", budget).code == 0
