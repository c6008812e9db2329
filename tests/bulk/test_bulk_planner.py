"""From a plan to calls: which units there are, what they cost, and what savings change nothing but the cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from counterparts import Scripted, fine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_client import client_of
from pulled import NOW, account, facts, pull, world

from apteligent_async import ConfigurationError, DayLabels
from apteligent_async.bulk.expanding import expand
from apteligent_async.bulk.families import FAMILIES
from apteligent_async.bulk.plan import Plan
from apteligent_async.bulk.planner import dry_run, plain_loop, schedule
from apteligent_async.bulk.savings import DEFAULT_SAVINGS, SAVINGS
from apteligent_async.bulk.survey import Survey, take_survey
from apteligent_async.bulk.wanted import Wanted
from apteligent_async.bulk.windows import AppDays, graph_minutes

pytestmark = pytest.mark.anyio

EVERYTHING = {
    "error_monitoring.graph": {"graph": ["crashes", "dau"], "app_version": ["all", "latest"], "days": 3},
    "error_monitoring.pie": {"graph": ["crashes", "dau"], "group_by": ["os", "appId"]},
    "performance_management.pie": {"graph": ["latency", "volume"], "group_by": ["service", "appId"]},
}
INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  aware below
OFFSETS = st.integers(-12, 14)


def wanted_of(*kinds):
    """Want some kinds of data with ordinary arguments."""
    return [Wanted(kind, **EVERYTHING.get(kind, {})) for kind in kinds]


def is_public(kind):
    """Whether a kind holds no personal data."""
    return not FAMILIES[kind].is_personal


plans = st.lists(st.sampled_from([kind for kind in FAMILIES if is_public(kind)]), min_size=1, max_size=4, unique=True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=plans, with_offsets=st.booleans())
async def test_savings_change_no_cell(kinds, with_offsets):
    """With the savings that are used by default the rows and their order are those of the plain loop."""
    plan = Plan(want=wanted_of(*kinds))
    client, _ = account()
    async with client:
        apps = facts(with_offsets=with_offsets)
        assert await pull(client, plan, apps=apps) == await pull(client, plan, apps=apps, allow=())


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=st.integers(0, 47), with_offsets=st.booleans(), labels=st.sampled_from(DayLabels))
async def test_at_any_hour_every_unit_is_answered(hours, with_offsets, labels):
    """Whatever the apps' time zones, no day is wanted that has not begun for them, and as many as were wanted come."""
    now = NOW + timedelta(hours=hours)
    kinds = [Wanted(kind, days=4) for kind in ("crashes.counts", "trends.app")]
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="dau", days=4), *kinds], day_labels=labels)
    client, _ = account(now=now)
    async with client:
        rows = await pull(client, plan, apps=facts(with_offsets=with_offsets), now=now)
    days = {(row.app, row.query, row.start) for row in rows if "trends" not in row.query}
    assert len(days) == 2 * 4 * len(facts())
    assert {len({row.start for row in rows if row.app == app.id and "trends" in row.query}) for app in facts()} == {4}


async def test_totals_of_apps_of_one_time_zone_share_a_call():
    """Pies by app cost a call per time zone and metric where it is known, and one per app where it is not."""
    wanted = Wanted("performance_management.pie", graph=["latency", "volume"], group_by="appId")
    zones = {app.offset_hours for app in facts()}
    assert 1 < len(zones) < len(facts())
    plan = Plan(want=[wanted])
    known, unknown = (expand(plan, facts(with_offsets=is_known), NOW) for is_known in (True, False))
    assert len(schedule(known)) == 2 * len(zones)
    assert len(schedule(unknown)) == len(plain_loop(unknown)) == 2 * len(facts())
    assert len(schedule(unknown, allow={"mixed-day-totals"})) == 2


async def test_totals_of_mixed_time_zones_have_the_right_values():
    """Where it is allowed, one pie gives all apps their values, and nothing but their windows may be off."""
    plan = Plan(want=[Wanted("error_monitoring.pie", graph="crashes", group_by="appId")])
    client, way = account()
    async with client:
        plain = await pull(client, plan)
        before = way.calls
        mixed = await pull(client, plan, allow={"mixed-day-totals"})
    assert way.calls == before + 1
    assert [(row.app, row.key, row.value) for row in mixed] == [(row.app, row.key, row.value) for row in plain]
    assert mixed != plain


async def test_trends_stand_in_for_pies_of_five():
    """Where it is allowed, trends give the five versions with most loads what the pie gives them, in one call."""
    wanted = Wanted("error_monitoring.pie", graph="appLoads", group_by="appVersion", top=5)
    plan = Plan(want=[wanted, Wanted("trends.app", days=2)])
    client, way = account()
    async with client:
        plain = await pull(client, plan, allow=())
        before = way.calls
        saved = await pull(client, plan, allow={"top-five"})
    assert saved == plain
    assert way.calls == before + len(facts())
    assert len([row for row in plain if row.metric == "appLoads"]) == 5 * len(facts())


async def test_a_total_that_is_nobodys_is_no_answer_for_the_others():
    """If the service calls apps otherwise than by their ids, nobody's total passes for nothing."""
    plan = Plan(want=[Wanted("error_monitoring.pie", graph="dau", group_by="appId")], offset_hours={"*": 0})
    first, *others = facts()
    units = expand(plan, [first, *others], NOW)
    (fetch,) = schedule(units)
    slices = [{"name": first.id, "label": "a", "value": 1}, {"name": "Another Name", "label": "b", "value": 2}]
    body = {"data": {"start": "2016-12-11T00:00:00", "end": "2016-12-12T00:00:00", "interval": 86400, "slices": slices}}
    async with client_of(Scripted(lambda request, number: fine(body=body))) as client:
        (answer,) = [answer async for answer in fetch.answers(client)]
    assert list(fetch.rows_of(answer)) == [units[0].key]


async def test_a_day_that_the_service_does_not_tell_of_is_no_answer():
    """A unit whose day is not in the answer has no key, which is not the same as no rows."""
    plan = Plan(want=[Wanted("crashes.counts", days=2)], apps=facts()[0].id)
    units = expand(plan, facts(), NOW)
    (fetch,) = schedule(units)
    body = {"data": [{"date": units[0].day.isoformat(), "value": 3}]}
    async with client_of(Scripted(lambda request, number: fine(body=body))) as client:
        (answer,) = [answer async for answer in fetch.answers(client)]
    assert {key: [row.value for row in rows] for key, rows in fetch.rows_of(answer).items()} == {units[0].key: [3]}


def test_a_dry_run_says_what_each_saving_does():
    """Calls before and after are told, and each saving has its fact, its grade and what it saves or would save."""
    wanted = wanted_of("apps.list", "error_monitoring.pie")
    run = dry_run(expand(Plan(want=wanted), facts(), NOW))
    n_apps, n_zones = len(facts()), len({app.offset_hours for app in facts()})
    assert run.calls_before == run.units == n_apps * 5
    assert run.calls_after == 1 + 2 * n_apps + 2 * n_zones
    uses = {use.saving.name: use for use in run.savings}
    assert {name for name, use in uses.items() if use.is_used} == DEFAULT_SAVINGS
    assert {name: use.calls_saved for name, use in uses.items()} == {
        "all-apps": n_apps - 1,
        "same-day-totals": 2 * (n_apps - n_zones),
        "mixed-day-totals": 2 * (n_zones - 1),
        "top-five": 0,
    }
    assert run.seconds is None


def test_a_dry_run_tells_the_time_of_the_present_budget():
    """A budget that has few calls left makes the time, which is that of the calls after savings."""

    class Snapshot:
        def eta(self, n_calls):
            return 60.0 * n_calls

    run = dry_run(expand(Plan(want=wanted_of("apps.list")), facts(), NOW), snapshot=Snapshot())
    assert run.seconds == 60.0


def test_lists_and_pages_make_a_lower_bound():
    """What may take more calls than are known is said to."""
    bounds = {
        kind: dry_run(expand(Plan(want=wanted_of(kind)), facts(), NOW)).is_lower_bound
        for kind in FAMILIES
        if is_public(kind)
    }
    assert {kind for kind, is_lower in bounds.items() if is_lower} == {
        *(f"{group}.{kind}" for group in ("crashes", "exceptions") for kind in ("summaries", "table", "details")),
        "transactions.details",
        "transactions.group",
    }


def test_no_saving_on_a_doubtful_fact_is_used_unasked():
    """Facts of grade C and D must be allowed by name, and an unknown name is refused."""
    assert {SAVINGS[name].grade for name in DEFAULT_SAVINGS} <= {"A", "A1", "B"}
    assert {saving.grade for name, saving in SAVINGS.items() if name not in DEFAULT_SAVINGS} <= {"C", "D"}
    with pytest.raises(ConfigurationError, match="no saving 'fewer'"):
        schedule((), allow={"fewer"})


def test_the_same_plan_makes_the_same_units():
    """Keys depend on the plan, the apps and the day alone, whatever time of the day it is."""
    plan = Plan(want=wanted_of(*filter(is_public, FAMILIES)))
    units = expand(plan, facts(), NOW)
    assert units == expand(plan, facts(), NOW)
    assert [unit.key for unit in units] == [unit.key for unit in expand(plan, facts(), NOW + timedelta(minutes=1))]
    assert [unit.order for unit in units] == list(range(len(units)))
    assert len({unit.key for unit in units}) == len(units)


def test_tomorrow_adds_a_day_and_asks_again_for_what_has_not_settled():
    """The next day has one new unit per question, and those of the last days are due until they are final."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="dau", days=7)], apps=facts()[0].id, settle_days=2)
    today, tomorrow = (expand(plan, facts(), at) for at in (NOW, NOW + timedelta(days=1)))
    assert len({unit.key for unit in tomorrow} - {unit.key for unit in today}) == 1
    assert not [unit for unit in today if unit.is_due(NOW, now=NOW)]
    again = [unit.day for unit in tomorrow if unit.is_due(NOW, now=NOW + timedelta(days=1))]
    newest = tomorrow[-1].day
    assert again == [newest - timedelta(days=back) for back in (3, 2, 1, 0)]


def test_what_is_told_of_the_present_alone_is_gone_tomorrow():
    """With a first day, pies of past days are there as gaps, and no call is made for them."""
    plan = Plan(want=[Wanted("error_monitoring.pie", graph="dau", group_by="os")], since=date(2016, 12, 10))
    units = [unit for unit in expand(plan, facts(), NOW) if unit.app == facts()[0].id]
    assert [unit.is_gone for unit in units] == [True] * (len(units) - 1) + [False]
    assert units[0].day == date(2016, 12, 10)
    assert [fetch.units for fetch in schedule(units)] == [(units[-1],)]
    assert not units[0].is_due(None, now=NOW)


def test_days_before_the_reach_of_a_call_are_gone():
    """A first day of long ago gives gaps for what no call tells of any more, and units for all the rest."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="dau")], since=date(2016, 1, 1), apps=facts()[0].id)
    units = expand(plan, facts(), NOW)
    assert units[0].day == date(2016, 1, 1)
    assert sum(not unit.is_gone for unit in units) == 57
    (fetch,) = schedule(units)
    assert fetch.arguments["duration"] == 86400


def test_days_on_which_nobody_pulled_are_made_up_for():
    """From the first day that a ledger knows on every day is wanted, and a gap where no call tells of it any more."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="dau", days=2), Wanted("trends.dau")], apps=facts()[0].id)
    newest = expand(plan, facts(), NOW)[1]
    began = {(newest.app, newest.question.query): newest.day - timedelta(days=60)}
    units = expand(plan, facts(), NOW, began=began)
    assert [unit.day for unit in units[:61]] == [newest.day - timedelta(days=back) for back in range(60, -1, -1)]
    assert [unit.is_gone for unit in units[:61]] == [True] * 4 + [False] * 57
    assert [unit.endpoint for unit in units[61:]] == ["trends.dau"]


def test_one_list_serves_all_who_want_it():
    """The same list for details, users and by itself is one unit, and what it names is asked for in its order."""
    app = facts()[0].id
    wanted = [Wanted("crashes.details", most=2), Wanted("crashes.affected_users", most=1), Wanted("crashes.summaries")]
    plan = Plan(want=wanted, personal_data=True, apps=app)
    (listing,) = expand(plan, facts(), NOW)
    assert listing.is_listing
    units = expand(plan, facts(), NOW, listed={listing.key: ["a", "b", "c"]})
    asked = [(unit.endpoint, unit.question.argument("hash")) for unit in units]
    assert asked == [
        ("crashes.summaries", None),
        ("crashes.details", "a"),
        ("crashes.details", "b"),
        ("crashes.affected_users", "a"),
    ]


def test_apps_are_chosen_by_name_id_and_glob():
    """Names and globs are read without case, ids as they are, and what is excepted is left out."""
    first, second, third, *_ = facts()

    def chosen(**choice):
        plan = Plan(want=wanted_of("trends.dau"), **choice)
        return [unit.app for unit in expand(plan, facts(), NOW)]

    assert chosen(apps=[first.name.upper(), second.id]) == [first.id, second.id]
    assert third.id in chosen(apps=f"{third.name[:4]}*")
    assert chosen(except_apps=[app.name for app in facts()[1:]]) == [first.id]
    with pytest.raises(ConfigurationError, match="names an app 'Nobody' that there is not"):
        chosen(apps="Nobody")


def test_versions_are_chosen_by_name_glob_and_latest():
    """Versions that an app has fit globs, and each makes one question."""
    app = facts()[0]
    plan = Plan(want=[Wanted("crashes.counts", app_version=["all", "latest", "*"], days=1)], apps=app.id)
    versions = [unit.question.argument("app_version") for unit in expand(plan, facts(), NOW)]
    assert versions == [None, app.latest_version, *(one for one in app.versions if one != app.latest_version)]


@given(now=INSTANTS, offset=OFFSETS, is_known=st.booleans(), age=st.integers(0, 56), later_h=st.floats(0, 20))
def test_a_graph_reaches_the_days_that_are_wanted_everywhere(now, offset, is_known, age, later_h):
    """Whatever the app's time zone, and though a midnight pass before the call, the oldest day is in the answer."""
    days = AppDays(now=now, offset_hours=offset if is_known else None)
    minutes = graph_minutes(age, offset_hours=days.offset_hours)
    theirs = (now + timedelta(hours=offset + later_h)).date()
    oldest_told = theirs - timedelta(days=minutes // 1440 - 1)
    assert oldest_told <= days.today - timedelta(days=age)
    assert days.today <= (now + timedelta(hours=offset)).date()
    assert days.ends_at(days.today) >= datetime.combine(
        days.today + timedelta(days=1), datetime.min.time(), UTC
    ) - timedelta(hours=offset)


async def test_graphs_that_are_labelled_by_their_start_end_the_day_before():
    """Under the other reading the points are dated a day earlier, and the running day has none."""
    wanted = Wanted("error_monitoring.graph", graph="crashes", days=3)
    client, _ = account()
    async with client:
        ends, starts = [
            await pull(client, Plan(want=[wanted], apps=facts()[0].id, day_labels=labels)) for labels in DayLabels
        ]
    assert [row.value for row in ends] == [row.value for row in starts]
    earlier = [(date.fromisoformat(row.start) - timedelta(days=1)).isoformat() for row in ends]
    assert [row.start for row in starts] == earlier
    assert {row.query.partition("#")[2] for row in ends + starts} == {"days=end", "days=start"}


async def test_a_survey_tells_the_services_clock_not_ours():
    """The instant is that of the last live window, even if this machine lives in another year."""
    client, way = account()
    async with client:
        survey = await take_survey(client, clock=datetime(2026, 1, 1, tzinfo=UTC))
    assert (survey.now, way.calls) == (NOW, 2)
    assert [(app.id, app.name, app.versions) for app in survey.apps] == [
        (app.id, app.name, app.versions) for app in facts()
    ]
    assert Survey.from_json(survey.to_json()) == survey
    assert survey.is_fresh(datetime(2026, 1, 1, 23, tzinfo=UTC))
    assert not survey.is_fresh(datetime(2026, 1, 2, tzinfo=UTC))


async def test_a_survey_finds_time_zones_where_that_pays():
    """They are asked for once, of the apps that are wanted, if the plan has enough totals by app."""
    totals = Wanted("error_monitoring.pie", graph=["dau", "crashes"], group_by="appId")
    plan = Plan(want=[totals])
    client, way = account()
    async with client:
        survey = await take_survey(client, clock=NOW, plan=plan)
        assert way.calls == 2 + len(facts())
        await take_survey(client, clock=NOW, plan=plan, before=survey)
        assert way.calls == 4 + len(facts())
        told = await take_survey(client, clock=NOW, plan=Plan(want=[totals], offset_hours={"*": 0}))
        assert way.calls == 6 + len(facts())
    assert [app.offset_hours for app in survey.apps] == [app.profile.offset_h for app in world().apps.values()]
    assert {app.offset_hours for app in told.apps} == {None}


async def test_a_survey_believes_this_machine_where_the_service_tells_no_time():
    """An account without live statistics is surveyed all the same."""

    def answer(request, number):
        body = {"data": {"app1": {"appName": "One"}}} if request.url.path == "/v2/apps" else {"message": "no"}
        return fine(body=body, status=200 if request.url.path == "/v2/apps" else 404)

    async with client_of(Scripted(answer)) as client:
        survey = await take_survey(client, clock=NOW)
    assert survey.now == NOW
