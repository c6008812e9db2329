"""Dialects: every way in which a service may state its budget, and every way in which it may go wrong."""

from __future__ import annotations

import json
import string
import time
import timeit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apteligent_async._scheduling.learned import verdicts
from apteligent_async._scheduling.readings import Unit
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Limited, LinkFailed, Overloaded, Reading, Refused, Succeeded
from apteligent_async._wire.dialects import (
    LONGEST_HEADER,
    ApteligentDialect,
    IetfDialect,
    XRateLimitDialect,
    retry_after_s,
)
from apteligent_async._wire.messages import LinkFailure, Reply
from apteligent_async._wire.outcomes import outcome_of
from apteligent_async.errors import ConnectionFailed

DIALECTS = [ApteligentDialect(), XRateLimitDialect(), IetfDialect()]
NAMES = [
    "age",
    "date",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    *(
        f"{family}-{what}"
        for family in ("rate-limit", "x-ratelimit", "x-rate-limit", "ratelimit")
        for what in ("limit", "remaining", "reset", "reset-after")
    ),
]
# 18:39:48 on this day is 1391711988 seconds after the beginning of 1970.
DATE = "Thu, 06 Feb 2014 18:39:48 GMT"
NOW = 1391711988
MINUTE_LATER = "Thu, 06 Feb 2014 18:40:48 GMT"


def reply(status=200, body=b"", **headers):
    """A reply; underscores in header names become dashes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=raw)


def read(dialect, answer):
    """What an answer says, as (limit, remaining, reset, actual)."""
    reading = dialect.read(answer)
    return reading and (reading.limit, reading.remaining, reading.reset_s, reading.actual)


def own(*, limit="20", remaining="18", reset="46", **headers):
    """Headers of the Apteligent API."""
    return {"rate_limit_limit": limit, "rate_limit_remaining": remaining, "rate_limit_reset": reset, **headers}


@pytest.mark.parametrize(
    ("answer", "figures"),
    [
        (reply(**own(remaining="18.5")), (20, 18.5, 46, None)),
        (reply(rate_limit_remaining="-3"), (None, -3, None, None)),
        (reply(429, {"limit": True, "reset": "soon"}, rate_limit_limit="20"), (20, None, None, None)),
        (reply(200, {"data": {}, "limit": 5}), None),
        (reply(rate_limit_limit="nan", rate_limit_reset="inf", rate_limit_remaining=""), None),
        (reply(429, {"limit": 10**400}), None),
        (reply(429, {"limit": 20, "actual": 25, "reset": 42}, **own(reset="5")), (20, 18, 42, 25)),
        (reply(429, {"limit": 20, "actual": 25, "reset": 3}, **own(reset="5")), (20, 18, 5, 25)),
        (reply(429, {"reset": 3}, retry_after="7"), (None, None, 7, None)),
        (reply(429, {"reset": 9}, retry_after="7"), (None, None, 9, None)),
        (reply(429, [], retry_after="7"), (None, None, 7, None)),
        (reply(200, retry_after="7"), None),
        (reply(**own(age="1")), None),
        (reply(**own(age="0")), (20, 18, 46, None)),
        (reply(**own(age="old")), (20, 18, 46, None)),
        (reply(429, {"reset": 3}, age="60"), None),
    ],
)
def test_apteligent_figures_are_as_stated_or_none(answer, figures):
    """Only finite numbers count, of two resets the later, and nothing out of a cache."""
    assert read(ApteligentDialect(), answer) == figures


def x(prefix="x_ratelimit", **fields):
    """Headers of one family."""
    return {f"{prefix}_{name}": value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("headers", "remaining", "reset_s"),
    [
        (x(limit="60", remaining="57", reset="30"), 57, 30),
        (x("x_rate_limit", limit="15", remaining="14", reset="900"), 14, 900),
        (x("ratelimit", limit="100, 100;w=60", remaining="99", reset="50"), 99, 50),
        (x("ratelimit", remaining="99") | x(remaining="3", reset="5"), 3, 5),
        (x("ratelimit", remaining="99", reset="50") | x(remaining="soon"), 99, 50),
        (x(remaining="598.0", reset="86"), 598, 86),
        (x(remaining="5", reset=str(NOW + 60), date="") | {"date": DATE}, 5, 60),
        (x(remaining="5", reset=str(1000 * (NOW + 60))) | {"date": DATE}, 5, 60),
        (x(remaining="5", reset=f"{NOW + 60}.25") | {"date": DATE}, 5, 60.25),
        (x(remaining="5", reset=str(NOW - 2)) | {"date": DATE}, 5, 0),
        (x(remaining="5", reset=str(NOW - 600)) | {"date": DATE}, 5, None),
        (x(remaining="5", reset=str(NOW + 60)), 5, None),
        (x(remaining="5", reset=str(NOW + 60)) | {"date": "yesterday"}, 5, None),
        (x(remaining="5", reset=str(NOW + 60), reset_after="61.5") | {"date": DATE}, 5, 61.5),
        (x(remaining="5", reset="9" * 400) | {"date": DATE}, 5, None),
        (x(remaining="5"), 5, None),
    ],
)
def test_x_headers_are_read_in_all_their_spellings(headers, remaining, reset_s):
    """Seconds and instants are told apart by size, and the limit, which is per window, is not taken for a rate."""
    assert read(XRateLimitDialect(), reply(**headers)) == (None, remaining, reset_s, None)


IETF_CASES = [
    ('"default";r=50;t=30', "", (None, 50, 30)),
    ("default;r=50;t=30", "", (None, 50, 30)),
    ('"default";r=50;t=30', '"default";q=100;w=60', (100, 50, 30)),
    ('"day";r=9', '"day";q=1440;w=86400', (1, 9, 86400)),
    ('"burst";r=5;t=1, "hour";r=900;t=3000', '"burst";q=10;w=1,"hour";q=1000;w=3600', (600, 5, 1)),
    ('"burst";r=5;t=1, "hour";r=4;t=3000', '"burst";q=10;w=1,"hour";q=1000;w=3600', (60000 / 3600, 4, 3000)),
    ('"a";r=0;t=5, "b";r=0;t=50', "", (None, 0, 50)),
    ('"bytes";r=1;t=9, "calls";r=7;t=8', '"bytes";q=9;qu="content-bytes";w=9', (None, 7, 8)),
    ('"calls";r=7;t=8', '"calls";q=9;qu="requests";w=60', (9, 7, 8)),
    ('"a, b;c=1";r=7;t=8;pk=:cHVuaw==:', "", (None, 7, 8)),
    ('"a\\";r=1";r=7;t=8', "", (None, 7, 8)),
    ("limit=100, remaining=50, reset=5", "100;w=60", (None, 50, 5)),
    ('"default";r=50;t=30', '"default";q=100;w=0', (None, 50, 30)),
    ('"default";r=-1;t=30', "", (None, -1, 30)),
    ('"default";t=30', "", None),
    ('"default', "", None),
    (";;;,,,", '"', None),
    ("", '"default";q=100;w=60', None),
]


@pytest.mark.parametrize(("field", "policy", "figures"), IETF_CASES)
def test_ietf_fields_are_read_by_the_policy_that_governs(field, policy, figures):
    """The fewest calls left govern; a policy's window turns its quota into a rate; other units are none of ours."""
    reading = IetfDialect().read(reply(ratelimit=field, ratelimit_policy=policy))
    if figures is None:
        assert reading is None or reading.remaining is None
    else:
        assert reading == Reading(limit=figures[0], remaining=figures[1], reset_s=figures[2])


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        (ApteligentDialect(), own(reset="10")),
        (XRateLimitDialect(), x(remaining="0", reset="10")),
        (IetfDialect(), {"ratelimit": '"a";r=0;t=10'}),
    ],
)
def test_retry_after_wins_where_it_is_later(dialect, headers):
    """In every dialect, on refusals alone."""
    assert dialect.read(reply(429, retry_after="60", **headers)).reset_s == 60
    assert dialect.read(reply(429, retry_after="6", **headers)).reset_s == 10
    assert dialect.read(reply(429, retry_after=MINUTE_LATER, date=DATE, **headers)).reset_s == 60
    assert dialect.read(reply(200, retry_after="60", **headers)).reset_s == 10
    assert dialect.read(reply(429, retry_after="60", age="5", **headers)) is None
    assert dialect.read(reply(429, retry_after="60")) == Reading(reset_s=60)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "-7"}, 0),
        ({}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": MINUTE_LATER, "date": DATE}, 60),
        ({"retry_after": DATE, "date": MINUTE_LATER}, 0),
        ({"retry_after": MINUTE_LATER}, None),
        ({"retry_after": "Thu, 06 Feb 2014 18:40:48 -0000", "date": DATE}, None),
    ],
)
def test_retry_after_is_read_by_the_replys_own_clock(headers, seconds):
    """Seconds are taken as they are, a date is measured from the reply's date, nonsense is nothing."""
    assert retry_after_s(reply(503, b"", **headers)) == seconds


ANY_TEXT = st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
PIECES = ['"a"', ";r=1", ";t=2", ";q=3", ";w=0", ",", ";", '"', "\\", "=", "-", "1e999", "9" * 30, " ", "nan", DATE]
NEARLY = st.lists(st.sampled_from(PIECES) | st.text(string.printable, max_size=3), max_size=12).map("".join)
HEADERS = st.dictionaries(st.sampled_from(NAMES), ANY_TEXT | NEARLY, max_size=8)
BODIES = st.binary(max_size=60) | st.dictionaries(
    st.sampled_from(["limit", "actual", "reset"]), st.none() | st.integers() | st.floats() | st.text(max_size=9)
).map(lambda body: json.dumps(body).encode())


@settings(deadline=None)
@given(st.sampled_from(DIALECTS), st.sampled_from([200, 404, 429, 503]), HEADERS, BODIES)
@example(DIALECTS[1], 200, {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "9" * 5_000, "date": DATE}, b"")
@example(DIALECTS[0], 503, {"retry-after": "Thu, 06 Feb 0000 18:40:48 GMT", "date": DATE}, b"")
def test_no_header_makes_a_dialect_raise(dialect, status, headers, body):
    """Whatever the headers and the body hold, they end in finite numbers or in nothing, and the line goes on."""
    reading = dialect.read(Reply(status=status, headers=headers, body=body))
    assert reading is None or reading != Reading()
    for number in () if reading is None else (reading.limit, reading.remaining, reading.reset_s, reading.actual):
        assert number is None or abs(number) < float("inf")
    outcome_of(Reply(status=status, headers=headers, body=body), dialect)


@pytest.mark.parametrize("piece", ['"', '"\\', "a", 'a="\\', ";a=", ";", " ", ",", 'a;a="', "a=b,", '";r=1'])
def test_a_long_hostile_header_costs_little(piece):
    """Reading is linear in the header's length, and the length that is read is bounded; seconds are the machine's."""

    def cost_s(length):
        answer = reply(ratelimit=piece * (length // len(piece)), ratelimit_policy=piece * (length // len(piece)))
        return min(timeit.repeat(lambda: IetfDialect().read(answer), timer=time.thread_time, number=4, repeat=5))

    some, most, more = cost_s(512), cost_s(LONGEST_HEADER), cost_s(50 * LONGEST_HEADER)
    assert most < 4 * LONGEST_HEADER / 512 * some
    assert more < 4 * most


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_outcome_follows_the_status_and_carries_what_was_stated(dialect):
    """Each family of statuses has its meaning, in every dialect."""
    stated = own(remaining="5", reset="9") | x(remaining="5", reset="9") | {"ratelimit": '"a";r=5;t=9'}

    def outcome(status, **headers):
        return outcome_of(reply(status, **stated, **headers), dialect)

    for status, kind in ((204, Succeeded), (302, Succeeded), (404, Refused), (429, Limited), (500, Overloaded)):
        assert type(outcome(status)) is kind
        assert (outcome(status).reading.remaining, outcome(status).reading.reset_s) == (5, 9)
    assert outcome(503, retry_after="7").retry_after_s == 7
    names = {name.replace("_", "-"): value for name, value in stated.items()}
    failed = outcome_of(LinkFailure(error=ConnectionFailed("cut"), headers=names), dialect)
    assert isinstance(failed, LinkFailed)
    assert failed.reading.remaining == 5
    assert outcome_of(LinkFailure(error=ConnectionFailed("cut"), was_sent=False), dialect) == LinkFailed(was_sent=False)


def test_only_this_services_numbers_may_be_speeds():
    """Of another service's count only whether it holds its own call can be doubted, and that only after a refusal."""
    own_way, *others = (verdicts(Scheduler(hypotheses=dialect.hypotheses).budget) for dialect in DIALECTS)
    assert (own_way.unit, own_way.includes_call) == (None, None)
    assert [(each.unit, each.includes_call) for each in others] == [(Unit.COUNT, True)] * 2
