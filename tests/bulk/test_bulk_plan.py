"""Plans: from Python and from TOML alike, and refused with a word on what to mend."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async import ConfigurationError, DayLabels, ErrorGraph, Unchecked
from apteligent_async.bulk.families import FAMILIES
from apteligent_async.bulk.plan import Plan
from apteligent_async.bulk.wanted import Wanted

TOML = """
apps = ["Shop*", "519d53101386202089000007"]
except_apps = "*beta*"
settle_days = 3
since = 2016-12-01
day_labels = "start"
personal_data = true
offset_hours = { "Shop*" = -7, "*" = 5.5 }

[[want]]
what = "error_monitoring.graph"
graph = ["crashes", "dau"]
app_version = ["latest", "2.*"]
days = 30

[[want]]
what = "error_monitoring.pie"
graph = "crashes"
group_by = ["os", "device"]
filters = [{ carrier = "unknown" }, { os = "ios 6.1" }]

[[want]]
what = "crashes.affected_users"
most = 50
among = { status = "unresolved", sort_by = "sessionCount" }
"""


def test_a_plan_in_toml_is_the_plan_in_python(tmp_path):
    """Every key of a file means what the argument of its name means."""
    plan = Plan(
        apps=["Shop*", "519d53101386202089000007"],
        except_apps=["*beta*"],
        settle_days=3,
        since=date(2016, 12, 1),
        day_labels=DayLabels.START,
        personal_data=True,
        offset_hours={"Shop*": -7, "*": 5.5},
        want=[
            Wanted(
                "error_monitoring.graph",
                graph=[ErrorGraph.CRASHES, ErrorGraph.DAU],
                app_version=["latest", "2.*"],
                days=30,
            ),
            Wanted(
                "error_monitoring.pie",
                graph="crashes",
                group_by=["os", "device"],
                filters=[{"carrier": "unknown"}, {"os": "ios 6.1"}],
            ),
            Wanted("crashes.affected_users", most=50, among={"status": "unresolved", "sort_by": "sessionCount"}),
        ],
    )
    (tmp_path / "plan.toml").write_text(TOML, encoding="utf-8")
    assert Plan.load(tmp_path / "plan.toml") == plan
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert hash(plan) == hash(Plan.from_toml(TOML))


def test_a_plan_needs_nothing_but_what_is_wanted():
    """All apps, two days to settle, nobody's personal data."""
    plan = Plan.from_toml('[[want]]\nwhat = "apps.list"')
    assert (plan.apps, plan.settle_days, plan.since, plan.personal_data) == (("*",), 2, None, False)
    assert plan == Plan(want=[Wanted("apps.list")])


WANT = '[[want]]\nwhat = "error_monitoring.pie"\ngraph = "crashes"\ngroup_by = "os"\n'
REFUSED = {
    "app = 1\n" + WANT: r"no key 'app' \(did you mean 'apps'\?\)",
    "apps = 7\n" + WANT: "apps and except_apps list names, ids or globs",
    "settle_days = -1\n" + WANT: "settle_days must be a number of days",
    "settle_days = true\n" + WANT: "settle_days must be a number of days",
    'since = "2016-12-01"\n' + WANT: "since must be a day such as 2016-12-01, without quotes",
    "since = 2016-12-01T00:00:00\n" + WANT: "since must be a day",
    'day_labels = "middle"\n' + WANT: "day_labels cannot be 'middle'; there are end, start",
    "offset_hours = 3\n" + WANT: "offset_hours must be a table",
    "offset_hours = { a = 99 }\n" + WANT: r"offset_hours\['a'\] must be hours from -12 to 14",
    'personal_data = "yes"\n' + WANT: "personal_data must be true or false",
    "apps = []": "nothing is wanted",
    "want = 3": "nothing is wanted",
    "want =": "is not TOML",
    "[[want]]\ngraph = 'dau'": "number 1: the key what is missing",
    WANT + "[[want]]\nwhat = 'error_monitoring.pies'": r"number 2 .*did you mean 'error_monitoring.pie'",
    "[[want]]\nwhat = 3": "is no kind of data",
    WANT.replace("crashes", "crash"): r"number 1 \(error_monitoring.pie\): graph cannot be 'crash' \(did you mean",
    WANT.replace("graph", "graf"): "no argument 'graf'.*did you mean 'graph'",
    WANT + "duration = 60": "duration must be a positive multiple of 1440",
    WANT + "days = 0": "days must be a positive whole number",
    WANT + "top = 5\nduration = 2880": "top can be given for error_monitoring.pie over a day alone",
    WANT + "app_id = 'x'": "app_id cannot be given.*the plan itself fills it in",
    WANT + "app_version = 3": "app_version must be a text or a list of texts",
    WANT + "app_version = [3]": "app_version lists texts",
    WANT + "app_version = '2'\nfilters = { appVersion = '1' }": "exclude each other",
    WANT + "among = { status = 'known' }": "among cannot be given",
    WANT + "carrier = []": "carrier is an empty list",
    "[[want]]\nwhat = 'trends.app'\ndays = 60": "days=60: trends.app tells of no more than 29 days",
    "[[want]]\nwhat = 'trends.app'\napp_version = '2'": "app_version cannot be given for trends.app",
    "[[want]]\nwhat = 'trends.app'\nduration = 1440": "duration cannot be given for trends.app",
    "[[want]]\nwhat = 'crashes.details'\namong = { statu = 'x' }": "among: crashes.summaries has no argument 'statu'",
    "[[want]]\nwhat = 'crashes.details'\namong = { status = ['known', 'resolved'] }": "among: give one value",
    "[[want]]\nwhat = 'crashes.details'\namong = 3": "among must be a table",
    "[[want]]\nwhat = 'apps.list'\nattributes = ['dau', 'mood']": r"attributes cannot be \['mood'\]",
    "[[want]]\nwhat = 'apps.list'\nattributes = 3": r"attributes cannot be \[3\]",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_plan_that_cannot_work_is_refused_with_the_key_and_the_remedy(text):
    """Before a call is spent, the error names the file and the key, and says what would do."""
    with pytest.raises(ConfigurationError, match=REFUSED[text]) as refused:
        Plan.from_toml(text, source="nightly.toml")
    assert refused.value.message.startswith("nightly.toml")


@pytest.mark.parametrize("kind", [kind for kind, family in FAMILIES.items() if family.is_personal])
def test_personal_data_must_be_asked_for_in_so_many_words(kind):
    """A kind that holds personal data is refused unless the plan says that it is meant."""
    with pytest.raises(ConfigurationError, match="personal_data = true"):
        Plan(want=[Wanted(kind)])
    assert Plan(want=[Wanted(kind)], personal_data=True).want[0].what == kind


def test_a_plan_that_is_not_there_is_refused(tmp_path):
    """A file that cannot be read, or is no text, is named."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml cannot be read: No such file or directory\.$"):
        Plan.load(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"bytes\.toml cannot be read"):
        Plan.load(tmp_path / "bytes.toml")


def test_what_is_no_list_of_wanted_is_refused():
    """Python callers are told as well."""
    with pytest.raises(ConfigurationError, match="each a Wanted"):
        Plan(want=["trends.app"])


def test_unchecked_values_may_be_wanted():
    """What the service may understand and nobody knows can be asked for."""
    wanted = Wanted("error_monitoring.pie", graph=Unchecked("mood"), group_by="os")
    assert [combination["graph"] for combination in wanted.combinations()] == [Unchecked("mood")]


def test_every_combination_is_asked_for_once_in_the_order_given():
    """Lists multiply; what was named first varies last."""
    wanted = Wanted("performance_management.pie", graph=["latency", "volume"], group_by=["os", "service"], duration=15)
    asked = [(each["graph"], each["group_by"], each["duration"]) for each in wanted.combinations()]
    assert asked == [("latency", "os", 15), ("latency", "service", 15), ("volume", "os", 15), ("volume", "service", 15)]


TABLES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "what",
        "graph",
        "group_by",
        "duration",
        "days",
        "app_version",
        "most",
        "among",
        "top",
        "filters",
        "attributes",
        "x",
    ]
)


@given(kind=st.sampled_from(sorted(FAMILIES)), table=st.dictionaries(KEYS, TABLES, max_size=4))
def test_nothing_but_our_error_comes_of_a_table_of_any_shape(kind, table):
    """Whatever stands in a ``[[want]]``, it is a plan or a `ConfigurationError`."""
    try:
        plan = Plan.from_table({"want": [{"what": kind, **table}], "personal_data": True})
    except ConfigurationError:
        return
    assert plan.want[0].what in FAMILIES
