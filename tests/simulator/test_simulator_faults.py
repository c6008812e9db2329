"""Faults: what each does to a call, which calls a schedule strikes, and schedules as files."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from front_desk import NOW, FrontDesk
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.simulator import (
    DEMO_ACCOUNT,
    BadFaults,
    FaultRule,
    FaultSchedule,
    QuotaSettings,
    Service,
    World,
    faults,
    read_faults,
)
from apteligent_async.simulator.delivery import Delivery
from apteligent_async.simulator.faults import KINDS, parse_faults

APPS = "/v2/apps"
RATE = {"Rate-Limit-Limit", "Rate-Limit-Remaining", "Rate-Limit-Reset"}


def desk_with(*rules, limit=20, seed=1):
    """Open a service with a schedule; a fault alone is a rule for every call."""
    rules = [rule if isinstance(rule, FaultRule) else FaultRule(rule) for rule in rules]
    world = World(now=NOW, apps=2)
    service = Service(world, quota=QuotaSettings(limit=limit), faults=FaultSchedule(rules, seed=seed))
    return FrontDesk(service, service.issue_token(DEMO_ACCOUNT.client_id))


def struck(*rules, **options):
    """Give the answer to one call that a fault strikes."""
    return desk_with(*rules, **options).ask(APPS, attributes="appName")


def test_a_storm_of_refusals_comes_with_and_without_body_and_headers():
    """The documented JSON and the true reset, or nothing at all; the call is counted either way."""
    desk = desk_with(faults.Refuse())
    answer = desk.ask(APPS)
    assert answer.status == 429
    assert set(json.loads(answer.body)) == {"actual", "message", "limit", "reset", "success"}
    assert dict(answer.headers)["Rate-Limit-Remaining"] == "0"
    assert desk.service.quota().left(1.0) == 19
    bare = struck(faults.Refuse(body=False, headers=False, retry_after="soon"))
    assert (bare.status, bare.body, RATE & {name for name, _ in bare.headers}) == (429, b"", set())
    assert ("Retry-After", "soon") in bare.headers
    lying = struck(faults.Refuse(reset_s=-5))
    assert (dict(lying.headers)["Rate-Limit-Reset"], json.loads(lying.body)["reset"]) == ("-5", -5)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_is_counted_or_not(status):
    """What stands before the service fails without it; its own failures cost a call."""
    desk = desk_with(
        FaultRule(faults.Fail(status=status, counted=False), count=1),
        FaultRule(faults.Fail(status=status, body="json", headers=True), skip=1),
    )
    first, second = desk.ask(APPS), desk.ask(APPS)
    assert (first.status, second.status) == (status, status)
    assert first.body.startswith(b"<html>")
    assert "message" in json.loads(second.body)
    assert {name for name, _ in second.headers} >= RATE
    assert not RATE & {name for name, _ in first.headers}


def test_the_first_rule_is_closest_to_the_service():
    """A later fault works on what an earlier one left, or keeps the call from it."""
    answer = struck(faults.ErrorWith200(message="first"), faults.SlowHeaders(seconds=3))
    assert (json.loads(answer.body), answer.delivery.head_after_s) == ({"error": "first"}, 3)
    desk = desk_with(faults.RevokedToken(), faults.Fail(counted=False))
    assert desk.ask(APPS).status == 503
    assert desk.service.quota().left(1.0) == 20


def test_tokens_end():
    """Revoked or expired, they get the service's own 401; a token call passes."""
    for fault in (faults.RevokedToken(), faults.ExpiredToken()):
        desk = desk_with(FaultRule(fault, skip=1, count=1))
        assert [desk.ask(APPS).status for _ in range(3)] == [200, 401, 401]
        assert desk_with(fault).post_token()[0] == 400


@pytest.mark.parametrize("window", ["fixed", "lazy", "sliding", "gcra"])
def test_a_cut_limit_counts_what_was_spent_before(window):
    """Five were spent: cut to six, one is left; when the cut is over, the rest is there again."""
    rule = FaultRule(faults.LimitCut(limit=6), skip=5, count=3)
    service = Service(
        World(now=NOW, apps=1),
        quota=QuotaSettings(limit=20, window=window, refused="free"),
        faults=FaultSchedule([rule]),
    )
    desk = FrontDesk(service, service.issue_token(DEMO_ACCOUNT.client_id))
    answers = [desk.ask(APPS) for _ in range(9)]
    statuses = [answer.status for answer in answers]
    assert statuses[:5] == [200] * 5
    assert statuses[5:] == [200, 429, 429, 200]
    assert dict(answers[5].headers)["Rate-Limit-Limit"] == "6"
    assert dict(answers[8].headers)["Rate-Limit-Limit"] == "20"
    assert service.quota().settings.limit == 20


def test_a_clock_is_wrong():
    """Resets and dates are moved, in headers and in the documented refusal."""
    true, skewed = struck(), struck(faults.ClockSkew(seconds=-100))
    resets = [float(dict(answer.headers)["Rate-Limit-Reset"]) for answer in (true, skewed)]
    assert resets[1] == resets[0] - 100
    assert dict(skewed.headers)["Date"].endswith("GMT")
    refused = struck(faults.Refuse(reset_s=10), faults.ClockSkew(seconds=5))
    assert json.loads(refused.body)["reset"] == 15


def test_a_redirect_names_the_other_host():
    """And carries no body."""
    answer = struck(faults.Redirect(to="http://thief.example/", status=307))
    assert (answer.status, answer.body, dict(answer.headers)["Location"]) == (307, b"", "http://thief.example/")


def test_bodies_are_spoilt():
    """Each in its own way, and only that."""
    whole = json.loads(struck().body)
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(struck(faults.BadJson()).body)
    with pytest.raises(UnicodeDecodeError):
        struck(faults.BadUtf8()).body.decode()
    for literal in ("NaN", "Infinity", "-Infinity", "1e999"):
        assert f'"notANumber": {literal}'.encode() in struck(faults.NotANumber(literal=literal)).body
    assert struck(faults.Deep(levels=7)).body.endswith(b'"nested": [[[[[[[]]]]]]]}')
    for null, kept in (("first", whole["data"]), ("last", None)):
        body = struck(faults.DuplicateKeys(null=null)).body
        assert (body.count(b'"data"'), json.loads(body)["data"]) == (2, kept)
    typed = struck(faults.ContentType(value="image/png"))
    assert [value for name, value in typed.headers if name == "Content-Type"] == ["image/png"]
    assert json.loads(typed.body) == whole


@pytest.mark.parametrize("change", ["rename", "retype", "add", "remove"])
def test_schemas_drift(change):
    """Every key is changed, or none."""
    whole = json.loads(struck().body)
    assert json.loads(struck(faults.SchemaDrift(change=change, share=0.0)).body) == whole
    drifted = json.loads(struck(faults.SchemaDrift(change=change, share=1.0)).body)
    expected = {
        "rename": {"dataV3", "linksV3"},
        "retype": {"data", "links"},
        "add": {"data", "dataExtra", "links", "linksExtra"},
        "remove": set(),
    }
    assert set(drifted) == expected[change]
    assert change != "retype" or drifted == {"data": 0, "links": 0}


@given(megabytes=st.floats(0, 3), layers=st.integers(1, 3))
def test_a_bomb_is_a_true_gzip_file(megabytes, layers):
    """It unpacks to the body and so many spaces, checksum and all, and is a thousandth of that."""
    answer = struck(faults.GzipBomb(megabytes=megabytes, layers=layers))
    packed = unpacked = answer.body
    for _ in range(layers):
        unpacked = gzip.decompress(unpacked)
    assert json.loads(unpacked) == json.loads(struck().body)
    assert len(unpacked) - len(struck().body) == int(megabytes * 1e6)
    assert len(packed) < len(struck().body) + 200 + 0.003 * len(unpacked)
    assert dict(answer.headers)["Content-Encoding"].split(", ") == ["gzip"] * layers


@given(
    body=st.binary(max_size=300_000),
    padding=st.integers(0, 200_000),
    ends_at=st.none() | st.floats(0, 1),
    seconds=st.sampled_from([0.0, 2.0]),
)
def test_parts_make_up_the_whole(body, padding, ends_at, seconds):
    """Body and spaces up to the cut, in parts of at most 64 KiB, whose pauses make up the seconds."""
    delivery = Delivery(body_over_s=seconds, padding=padding, ends_at=ends_at)
    parts = list(delivery.parts(body))
    whole = body + b" " * padding
    assert b"".join(part for _, part in parts) == whole[: len(whole) if ends_at is None else int(len(whole) * ends_at)]
    assert max((len(part) for _, part in parts), default=0) <= 65_536
    assert sum(pause for pause, _ in parts) == pytest.approx(seconds if parts else 0)


def test_a_rule_says_which_calls_it_strikes():
    """By path, verb, order, number and time since the first call."""
    rules = [
        FaultRule(faults.Fail(status=500), path="/v2/crash/*"),
        FaultRule(faults.Fail(status=501), method="head"),
        FaultRule(faults.Fail(status=502), path=APPS, skip=1, count=2, method="GET"),
        FaultRule(faults.Fail(status=504), from_s=10, until_s=20),
    ]
    desk = desk_with(*rules)
    assert desk.ask("/v2/crash/a/b").status == 500
    assert desk.ask(APPS, method="HEAD").status == 501
    assert [desk.ask(APPS).status for _ in range(4)] == [200, 502, 502, 200]
    assert [desk.ask(APPS, now=1 + seconds).status for seconds in (9.9, 10, 19.9, 20)] == [200, 504, 504, 200]
    assert desk.service.struck == {"Fail": 6}


def test_the_same_seed_strikes_the_same_calls():
    """And about as many as its probability says; another seed strikes others."""

    def statuses(seed):
        desk = desk_with(FaultRule(faults.Fail(), probability=0.3), limit=10**6, seed=seed)
        return [desk.ask(APPS).status for _ in range(300)]

    assert statuses(1) == statuses(1) != statuses(2)
    assert 60 < statuses(1).count(503) < 120


def test_nothing_goes_wrong_without_a_schedule():
    """And nothing is counted as struck."""
    desk = FrontDesk.open()
    assert desk.ask(APPS).status == 200
    assert desk.service.struck == {}


def test_every_kind_can_be_written_in_a_file():
    """With its defaults, and with the settings that its class has; the documentation lists all of them."""
    for kind, fault in KINDS.items():
        (rule,) = parse_faults(f'[[fault]]\nkind = "{kind}"').rules
        assert rule == FaultRule(fault())
        settings = [each.name for each in fault.__attrs_attrs__]
        row = re.search(rf"^``{kind}``.*?(?=^``|^==)", faults.__doc__, re.MULTILINE | re.DOTALL)
        assert row is not None, f"{kind} is not documented"
        assert not [name for name in settings if f"``{name}``" not in row[0]]


def test_a_file_says_all_that_python_can(tmp_path):
    """Seed, kinds, settings and what they strike."""
    path = tmp_path / "faults.toml"
    path.write_text(
        'seed = 7\n[[fault]]\nkind = "refuse"\npath = "/v2/crash/*"\ncount = 10\nbody = false\n'
        '[[fault]]\nkind = "slow_body"\nseconds = 90\nprobability = 0.05\nfrom_s = 1.5\n'
    )
    assert read_faults(path) == FaultSchedule(
        [
            FaultRule(faults.Refuse(body=False), path="/v2/crash/*", count=10),
            FaultRule(faults.SlowBody(seconds=90), probability=0.05, from_s=1.5),
        ],
        seed=7,
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[[fault]", r"line 1"),
        ('[[fault]]\ncount = 1\nkind = "refuze"', r"line 3, fault 1: kind must be one of .*, not 'refuze'"),
        ("[[fault]]\ncount = 1", r"line 1, fault 1: kind is missing"),
        ('[[fault]]\nkind = "reset"\n\n[[fault]]\nkind = "fail"\nstatus = 200', r"line 6, fault 2: status must be"),
        ('[[fault]]\nkind = "fail"\nseconds = 3', r"line 3, fault 1: seconds is not known here; there are .*status"),
        ('[[fault]]\nkind = "reset"\nprobability = 2', r"line 3, fault 1: probability must be a number from 0 to 1"),
        ('[[fault]]\nkind = "reset"\ncount = 1.5', r"count must be a whole number"),
        ('[[fault]]\nkind = "slow_body"\nseconds = nan', r"line 3.*seconds must be a number"),
        ('[[fault]]\nkind = "refuse"\nbody = "no"', r"body must be true or false"),
        ('[[fault]]\nkind = "redirect"\nto = "a\\nb"', r"to must be a plain text"),
        ('[[fault]]\nkind = ["reset"]', r"kind must be one of"),
        ("seed = true", r"seed must be a whole number"),
        ("speed = 1", r"speed is not known here; there are fault, seed"),
        ("fault = 3", r"fault must be a list of tables"),
        ('fault = [{kind = "fail", status = 1}]', r"fault 1: status must be"),
        ("x = " + "[" * 10_000, r"faults: "),
        ('[[fault]]\nkind = "fail"\npath = "v2/apps"', r"line 3, fault 1: path must begin with a slash or a star"),
    ],
)
def test_a_bad_file_is_told_by_line_and_key(written, said):
    """The first thing that is wrong, and what would be right."""
    with pytest.raises(BadFaults, match=said) as caught:
        parse_faults(written)
    assert str(caught.value).startswith("faults: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing, a folder, or no text."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing.toml", tmp_path, binary, Path(str(binary))):
        with pytest.raises(BadFaults, match=rf"{re.escape(str(path))}: cannot be read"):
            read_faults(path)


def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path):
    """As some editors write it, with their own ends of lines."""
    path = tmp_path / "faults.toml"
    path.write_bytes(b'\xef\xbb\xbf[[fault]]\r\nkind = "fail"\r\n')
    assert read_faults(path) == FaultSchedule([FaultRule(faults.Fail())])


@pytest.mark.parametrize("rules", ["faults.toml", [faults.Fail()], [None], [FaultRule(faults.Fail()), "fail"]])
def test_a_schedule_is_made_of_rules(rules):
    """Whatever else is passed is refused at once, not at the first call."""
    with pytest.raises(ValueError, match=r"must each be a FaultRule, such as FaultRule\(Fail\(status=503\)\), not"):
        FaultSchedule(rules)


@pytest.mark.parametrize("fault", ["fail", None, FaultRule(faults.Fail())])
def test_a_rule_needs_a_fault(fault):
    """Something that can strike."""
    with pytest.raises(ValueError, match="must be a fault, such as"):
        FaultRule(fault)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_schedule_or_a_clear_error(written):
    """Nothing else is raised."""
    with suppress(BadFaults):
        assert isinstance(parse_faults(written), FaultSchedule)
