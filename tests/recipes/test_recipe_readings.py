"""Rows become numbers over time: what earlier programs got wrong, and the right answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows_made import SLOT, occasion, points, row

from apteligent_async.bulk.recipes.points import path_part
from apteligent_async.bulk.recipes.readings import MergeRule, merged

AT = int(SLOT.timestamp())
RULES = (
    MergeRule(grouping="carrier", name="Vodafone", pattern=re.compile("(?i)vodafone")),
    MergeRule(grouping="carrier", name="Any", pattern=re.compile("(?i)fone|o2")),
)


def carrier(metric, key, value, label=None):
    """Make a row of a carrier."""
    return row(metric, value, grouping="carrier", key=key, label=label)


def test_percentages_of_merged_carriers_are_weighed():
    """The importer summed them: 2 % of 900 loads and 10 % of 100 were 12 %. They are 2.8 %."""
    rows = [
        carrier("crashPercent", "vf nl", 2.0, "Vodafone (Netherlands)"),
        carrier("crashPercent", "vf de", 10.0, "Vodafone (Germany)"),
        carrier("appLoads", "vf nl", 900, "Vodafone (Netherlands)"),
        carrier("appLoads", "vf de", 100, "Vodafone (Germany)"),
    ]
    assert points("running", rows, merge=RULES) == {
        ("Lantern.ours.carrier.Vodafone.crashPercent", AT): pytest.approx(2.8),
        ("Lantern.ours.carrier.Vodafone.appLoads", AT): 1000,
    }


def test_a_percentage_without_weights_is_not_made_up():
    """Where loads were not pulled, or are none, there is no number rather than a wrong one."""
    alone = [carrier("crashPercent", "o2", 3.0)]
    assert points("running", alone, merge=RULES) == {}
    idle = [*alone, carrier("appLoads", "o2", 0)]
    assert points("running", idle, merge=RULES) == {("Lantern.ours.carrier.Any.appLoads", AT): 0}


def test_the_first_rule_that_fits_counts_and_the_rest_is_other():
    """Rules are tried in order; groupings without rules stay as they are."""
    rows = [
        carrier("crashes", "x", 1, "Vodafone"),
        carrier("crashes", "o2", 2),
        carrier("crashes", "t-mobile", 4),
        row("crashes", 8, grouping="appVersion", key="2.0"),
    ]
    assert {path.split(".", 2)[2]: value for (path, _), value in points("running", rows, merge=RULES).items()} == {
        "carrier.Vodafone.crashes": 1,
        "carrier.Any.crashes": 2,
        "carrier.other.crashes": 4,
        "appVersion.2-0.crashes": 8,
    }


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10**6)), min_size=1, max_size=8))
def test_a_weighed_percentage_is_crashes_by_loads(parts):
    """Whatever the shares are: as many crashes as before, of as many loads."""
    rows = [
        each
        for place, (share, loads) in enumerate(parts)
        for each in (
            carrier("crashPercent", f"vodafone {place}", share),
            carrier("appLoads", f"vodafone {place}", loads),
        )
    ]
    found = {each.metric: each.value for each in merged(rows, RULES)}
    loads = sum(loads for _, loads in parts)
    assert found["appLoads"] == loads
    assert ("crashPercent" in found) == bool(loads)
    if loads:
        crashes = sum(share * loads for share, loads in parts)
        assert found["crashPercent"] == pytest.approx(crashes / loads)


def test_a_running_total_is_the_newest_days():
    """Where several days are told, the earlier ones are not dated by the run; counts of both kinds stay apart."""
    days = ("2016-12-10", "2016-12-12", "2016-12-11")
    rows = [
        row("count", number, start=day, query=f"{kind}.counts#days=end")
        for kind in ("crashes", "exceptions")
        for number, day in enumerate(days, 10 if kind == "crashes" else 20)
    ]
    assert points("running", rows) == {
        ("Lantern.ours.crashCount", AT): 11,
        ("Lantern.ours.exceptionCount", AT): 21,
    }


def test_a_day_is_dated_by_the_apps_own_midnight():
    """The importer took the collector's hour; a day of an app at UTC-7 begins at 07:00 UTC."""
    told = points("daily", [row("dau", 5, start="2016-12-11"), row("dau", 6, start="2016-12-11", app="b")])
    assert told == {("Lantern.ours.dau", 1481439600): 5, ("Orbit.ours.dau", 1481414400): 6}


def test_services_are_dated_by_the_end_of_their_window_on_the_apps_clock():
    """15 minutes to 11:00 at UTC-7 end at 18:00 UTC; names that are not wanted are left out."""
    window = {"start": "2016-12-12T10:45:00", "end": "2016-12-12T11:00:00", "grouping": "service"}
    rows = [row("latency", 120.5, key="api.x", **window), row("latency", 1, key="hotspot", **window)]
    assert points("windows", rows, only=("api*",)) == {("Lantern.ours.service.api-x.latency", 1481565600): 120.5}


def test_each_short_window_is_dated_by_its_beginning():
    """What is about all of them together is left out, as it would be taken for the first."""
    window = {"start": "2016-12-12T18:00:10+00:00", "end": "2016-12-12T18:00:20+00:00"}
    rows = [row("appLoads", 7, **window), row("crashPercentage", 1.5, **window)]
    assert points("buckets", rows) == {("Lantern.ours.appLoads", 1481565610): 7}


def test_adoption_is_a_share_of_all_users():
    """Trends name five versions; the rest of the users are users, too."""
    graph = "error_monitoring.graph?filters=appVersion:2.0,graph=crashPercent#days=end"
    day = {"start": "2016-12-11T07:00:00+00:00", "end": "2016-12-12T07:00:00+00:00", "query": "trends.app#days=end"}
    rows = [
        row("crashPercent", 0.5, grouping="appVersion", key="2.0", start="2016-12-11", query=graph),
        row("dauByVersion", 30, grouping="appVersion", key="2.0", **day),
        row("dauByVersion", 20, grouping="appVersion", key="1.0", **day),
        row("dau", 200, **day),
    ]
    told = points("release", rows)
    assert told["Lantern.ours.appVersion.2-0.adoptionPercent", 1481439600] == 15.0
    assert told["Lantern.ours.appVersion.2-0.crashPercent", 1481439600] == 0.5
    assert len(told) == 2


def test_crashes_of_one_cause_are_ranked_as_one():
    """Equal name and reason are one crash, known by the group of most users; users and sessions weigh alike."""
    query = "crashes.summaries?status=unresolved#days=end"

    def group(hash_, users, sessions, reason):
        facts = {"uniqueSessionCount": users, "sessionCount": sessions}
        yield from (row(name, value, grouping="hash", key=hash_, query=query) for name, value in facts.items())
        yield row("name", None, grouping="hash", key=hash_, label="SIGSEGV", query=query)
        yield row("reason", None, grouping="hash", key=hash_, label=reason, query=query)

    rows = [*group("h1", 1, 2, "same"), *group("h2", 2, 2, "same"), *group("h3", 6, 8, "other")]
    assert {path.split(".")[3]: value for (path, _), value in points("release", rows).items()} == {
        "h2": 5.0,
        "h3": 10.0,
    }


def test_the_first_list_is_ranked():
    """A crash has other counts in other versions: those that the plan wants first are the ones that count."""
    first, second = "crashes.summaries?app_version=2.0#days=end", "crashes.summaries?app_version=1.0#days=end"
    rows = [
        row(metric, value, grouping="hash", key="h", query=query)
        for query, value in ((first, 3), (second, 300))
        for metric in ("uniqueSessionCount", "sessionCount")
    ]
    assert list(points("release", rows).values()) == [pytest.approx(18**0.5)]


def test_what_has_no_number_is_no_point():
    """Texts, and what is infinite or not a number, are left out, and so are unknown apps."""
    rows = [row("dau", None), row("dau", float("nan")), row("dau", float("inf")), row("dau", 1, app="gone")]
    assert points("running", rows) == {}


@given(st.text())
def test_a_part_of_a_path_cannot_break_out(text):
    """Whatever the service calls a thing: no dot, no blank, no line end, and never nothing."""
    part = path_part(text)
    assert part
    assert not re.search(r"[\s.]", part)
    assert part.isprintable()
    assert path_part(part) == part


def test_paths_are_those_that_dashboards_know():
    """``root.<app>.daily.<metric>``, and the rules by which names were always written."""
    assert path_part("Lantern 2.0: a/b;c,d (beta)!") == "Lantern_2-0__a_b_c_d_beta"
    assert [*points("daily", [row("crashPercent", 1, start="2016-12-11")], section="daily")] == [
        ("Lantern.daily.crashPercent", 1481439600)
    ]


def test_sessions_are_counted_from_lists_alone():
    """Cumulative counts are marked with the question that they answer; other rows are no growth."""
    query = "crashes.summaries#days=end"
    rows = [
        row("sessionCount", 10, grouping="hash", key="h", query=query),
        row("numOccurrences", 9, query="crashes.details#"),
    ]
    from apteligent_async.bulk.recipes.readings import READINGS

    [point] = READINGS["growth"].points(rows, occasion())
    assert (point.path, point.total_of) == ("Lantern.ours.crashes.h.sessions", f"a|{query}")
