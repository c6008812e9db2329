"""What users build on: names, parameters with their kinds and defaults, errors, commands and exit codes.

The interface may grow: what is new stands in no table here. What stands here changes by the policy on deprecation
only (`docs/policies.md`), and this file with it.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from inspect import Parameter
from pathlib import Path

import pytest

import apteligent_async
from apteligent_async import ApteligentClient, Priority, StaticToken, Unchecked
from apteligent_async.cli import COMMANDS

NAMES = """
ApteligentClient PasswordGrant StaticToken Region Priority RatePolicy RetryPolicy MemoryBudget SQLiteBudget RedisBudget
BudgetSnapshot MemoryCache SQLiteCache Plan Wanted PullReport DayLabels RateLimitedTransport Unchecked UnattestedWarning
unstructure AppAttribute ErrorGraph ErrorGroupBy ErrorStatus FilterField LivePeriod PerformanceGraph PerformanceGroupBy
PerformanceSort SortOrder SparklineGroupBy TableSort Event EventLog read_events Pull UnitResult Row FailureCause Paged
CacheEntry
"""

OVER_TIME = "app_id=None, app_ids=None, duration={}, filters=None"
SUMMARIES = """(app_id, *, last_occurred_start=None, last_occurred_end=None, first_occurred_start=None,
first_occurred_end=None, status=None, app_version=None, sort_by=None, sort_order=None)"""
TABLE = """(app_id, *, app_version=None, period=None, start_date=None, end_date=None, sort_by=None, sort_order=None,
prefetch=0)"""
DETAILS = "(app_id, hash, *, diagnostics=False, get_other_crashes=False, daily_occurrences=False)"
RANKED = "(app_id, *, {}='latency', limit=10, duration=240, geo_mode=True)"

METHODS = {
    "discover": "()",
    "token": "()",
    "request": "(method, path, *, params=None, json=None, repeatable=None)",
    "follow": "(link)",
    "with_options": "(*, priority=None, deadline=None, timeout=None, retry=None, cache=None)",
    "budget": "()",
    "drift": "()",
    "on_event": "(listener)",
    "pull": "(plan, *, ledger=None)",
    "open": "()",
    "aclose": "()",
    "apps.list": "(attributes=None)",
    "apps.get": "(app_id)",
    "error_monitoring.pie": f"(*, graph, group_by, {OVER_TIME.format(1440)})",
    "error_monitoring.graph": f"(*, graph, {OVER_TIME.format(43200)}, start=None, end=None)",
    "error_monitoring.sparklines": f"(*, graph, group_by=None, {OVER_TIME.format(43200)})",
    "performance_management.pie": f"(*, graph, group_by, {OVER_TIME.format(1440)})",
    "performance_management.graph": f"(*, graph, {OVER_TIME.format(1440)}, start=None, end=None)",
    "performance_management.endpoints": RANKED.format("sort"),
    "performance_management.services": RANKED.format("sort"),
    "performance_management.geo": RANKED.format("graph"),
    "crashes.summaries": SUMMARIES,
    "crashes.counts": "(app_id, *, app_version=None)",
    "crashes.table": TABLE,
    "crashes.details": DETAILS,
    "crashes.affected_users": "(app_id, hash)",
    "exceptions.summaries": SUMMARIES,
    "exceptions.counts": "(app_id, *, app_version=None)",
    "exceptions.table": TABLE,
    "exceptions.details": DETAILS,
    "trends.app": "(app_id, *, max_keys=None, start_date_inclusive=None)",
    "trends.dau": "(app_id)",
    "trends.mau": "(app_id)",
    "live_stats.get": "(app_id, period='PT5M')",
    "transactions.summary": "(app_id)",
    "transactions.ranked": "(app_id, category='failed')",
    "transactions.details": "(app_id, period, *, page_size=None, sort_by=None, sort_order=None)",
    "transactions.group": "(app_id=None, name=None, *, link=None)",
    "transactions.traces": "(app_id=None, name=None, period=None, *, link=None)",
}

CONSTRUCTORS = {
    "ApteligentClient": """(credentials=None, *, region=None, base_url=None, policy=None, budget=None, cache=None,
        retry=None, timeout=60.0, transport=None, http_client=None, proxy=None, ssl_context=None, headers=None,
        source=None)""",
    "PasswordGrant": "(client_id, username, password)",
    "StaticToken": "(token)",
    "RatePolicy": """(*, mode='shared', share=None, reserve=0.1, max_in_flight=100, max_queue=None,
        on_full='raise')""",
    "RetryPolicy": "(*, max_attempts=4, base_s=0.5, cap_s=30.0, max_rate_limited=10)",
    "SQLiteBudget": "(path)",
    "RedisBudget": "(url)",
    "Plan": "(*, want, apps=('*',), except_apps=(), settle_days=2, since=None, personal_data=False)",
    "Wanted": "(what, *, days=7, app_version=(), most=20, among=None, top=None)",
}

COMMON = ("endpoint", "attempts", "waited", "status", "body")
ERRORS = {
    "ApteligentError": (Exception, ()),
    "ConfigurationError": (ValueError, ()),
    "ClientStateError": (RuntimeError, ()),
    "AuthenticationError": (Exception, ()),
    "BadRequestError": (Exception, ()),
    "NotFoundError": (Exception, ()),
    "RateLimitedError": (Exception, ("limit", "actual", "reset", "retry_at")),
    "DeadlineExceeded": (TimeoutError, ("eta", "cause")),
    "QueueFull": (Exception, ()),
    "ServerError": (Exception, ()),
    "ConnectionFailed": (Exception, ()),
    "ResponseError": (Exception, ("path",)),
    "UnsafeLinkError": (Exception, ()),
    "LedgerError": (Exception, ()),
    "LedgerInUse": (Exception, ("pid", "host", "since")),
}

COMMAND_NAMES = """
demo simulate login apps pie graph crashes crash exceptions trends live services endpoints userflows pull export limits
explain dashboard doctor
"""


def promised(written):
    """Give the parameters of a signature that is written down."""
    made = {}
    exec(f"def made{written}: ...", made)
    return dict(inspect.signature(made["made"]).parameters)


def method(name):
    """Find a method of the client, or of one of its groups."""
    found = ApteligentClient(StaticToken("t"))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def holds(actual, written):
    """Say what breaks callers of the written signature: a name, a kind or a default; None if nothing does."""
    wanted = promised(written)
    for name, parameter in wanted.items():
        if name not in actual:
            return f"{name} is gone"
        if (actual[name].kind, actual[name].default) != (parameter.kind, parameter.default):
            return f"{name} was {parameter}, is {actual[name]} ({actual[name].kind.description})"
    others = [each for name, each in actual.items() if name not in wanted]
    for each in others:
        if each.default is Parameter.empty and each.kind not in {Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL}:
            return f"{each.name} is new and must be given"
    order = [name for name in actual if name in wanted and actual[name].kind is Parameter.POSITIONAL_OR_KEYWORD]
    if order != [name for name in wanted if wanted[name].kind is Parameter.POSITIONAL_OR_KEYWORD]:
        return f"the order is {order}"
    return None


@pytest.mark.parametrize("name", NAMES.split())
def test_a_public_name_can_be_imported_from_the_root(name):
    """It is there, and is listed."""
    assert hasattr(apteligent_async, name)
    assert name in apteligent_async.__all__


@pytest.mark.parametrize(("name", "written"), METHODS.items())
def test_calls_take_what_they_took(name, written):
    """Whoever calls a method as it is written down is still understood."""
    assert holds(inspect.signature(method(name)).parameters, written) is None


@pytest.mark.parametrize(("name", "written"), CONSTRUCTORS.items())
def test_classes_are_made_as_they_were(name, written):
    """Whoever makes one as it is written down is still understood, and gets the same defaults."""
    assert holds(inspect.signature(getattr(apteligent_async, name)).parameters, written) is None


@pytest.mark.parametrize(
    "changed",
    ["(a, *, b=1)", "(a, b=2)", "(b=1, *, a)", "(a, c=0)", "(a, b=1, *, c)"],
)
def test_a_change_that_breaks_callers_is_noticed(changed):
    """A parameter that is moved, renamed, of another default, keyword-only of a sudden, or new and required."""
    assert holds(promised(changed), "(a, b=1)") is not None


def test_a_change_that_breaks_nobody_passes():
    """What is new and need not be given is no change for those who do not know it."""
    assert holds(promised("(a, b=1, *, c=None)"), "(a, b=1)") is None


@pytest.mark.parametrize(("name", "parent", "own"), [(name, *rest) for name, rest in ERRORS.items()])
def test_errors_keep_their_place_and_their_fields(name, parent, own):
    """They are caught as what they always were, and say what they always said."""
    kind = getattr(apteligent_async, name)
    error = kind("what happened")
    assert isinstance(error, apteligent_async.ApteligentError)
    assert isinstance(error, parent)
    assert kind.__mro__.index(apteligent_async.ApteligentError) <= 1
    assert all(hasattr(error, field) for field in (*COMMON, *own))
    assert error.message == str(error) == "what happened"


def test_no_error_is_left_out():
    """Every error that can be imported stands in the table."""
    public = [getattr(apteligent_async, name) for name in apteligent_async.__all__]
    errors = {each.__name__ for each in public if isinstance(each, type) and issubclass(each, Exception)}
    assert errors - {"UnattestedWarning"} == set(ERRORS)


@pytest.mark.parametrize("name", COMMAND_NAMES.split())
def test_commands_keep_their_names(name):
    """A script that calls one finds it."""
    assert name in COMMANDS


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["apps"], 1), (["apps", "--no-such-option"], 2)], ids=str
)
def test_exit_codes_say_whose_turn_it_is(arguments, code, tmp_path):
    """0 is done, 1 is an error in a line (here: no credentials), 2 is usage; 3 and 130 are tried with the pulls."""
    program = "import sys; from apteligent_async.cli import main; sys.argv[0] = 'apteligent'; main()"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment | {"PYTHONPATH": str(Path(apteligent_async.__file__).parents[1])},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr


def test_priorities_and_unchecked_values_are_there():
    """The two lanes have their names, and a value that nobody checks keeps what was given."""
    assert [each.name for each in (Priority.INTERACTIVE, Priority.BULK)] == ["INTERACTIVE", "BULK"]
    assert Unchecked("x").value == "x"
