"""Settings are checked when made, and the message names type and range."""

from __future__ import annotations

import math
from decimal import Decimal

import attrs
import pytest

from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy, checked, is_number, is_whole, must_be, one_of
from apteligent_async.errors import ConfigurationError

NAN, INF = math.nan, math.inf

REFUSED = [
    (RatePolicy, "mode", "greedy", "one of exclusive, shared, polite"),
    (RatePolicy, "on_full", "drop", "one of raise, wait, shed"),
    *[
        (RatePolicy, "share", value, "a number above 0 and at most 1, or None")
        for value in (0, -0.3, 1.01, NAN, INF, "1", True)
    ],
    *[(RatePolicy, "reserve", value, "a number from 0 to 1") for value in (-0.1, 1.1, NAN, INF, None, "0")],
    *[(RatePolicy, "max_in_flight", value, "a whole number, at least 1") for value in (0, -1, "5", 2.5, None)],
    *[(RatePolicy, "max_queue", value, "a whole number, at least 0, or None") for value in (-1, "wait", 0.5)],
    *[(RetryPolicy, "max_attempts", value, "a whole number, at least 1") for value in (0, -1, "3", 1.5)],
    *[(RetryPolicy, "base_s", value, "a number of seconds") for value in (-1, NAN, INF, "1", None)],
    *[(RetryPolicy, "cap_s", value, "a number of seconds") for value in (-1, NAN, INF, "1", None)],
    (RetryPolicy, "max_rate_limited", 0, "a whole number, at least 1"),
]

TAKEN = [
    *[(RatePolicy, "mode", value) for value in ("exclusive", "shared", "polite")],
    *[(RatePolicy, "on_full", value) for value in ("raise", "wait", "shed")],
    *[(RatePolicy, "share", value) for value in (None, 1e-6, 1)],
    *[(RatePolicy, "reserve", value) for value in (0, 1)],
    (RatePolicy, "max_in_flight", 1),
    *[(RatePolicy, "max_queue", value) for value in (None, 0)],
    (RetryPolicy, "max_attempts", 1),
    *[(RetryPolicy, "base_s", value) for value in (0, 1e6)],
    *[(RetryPolicy, "cap_s", value) for value in (0, 1e6)],
    (RetryPolicy, "max_rate_limited", 1),
]


@pytest.mark.parametrize(("policy", "name", "value", "wanted"), REFUSED)
def test_a_value_out_of_range_is_refused(policy, name, value, wanted):
    """The error names the setting, the value and what it must be."""
    with pytest.raises(ConfigurationError) as caught:
        policy(**{name: value})
    assert str(caught.value) == f"{name}={value!r} is not possible: it must be {wanted}."


@pytest.mark.parametrize(("policy", "name", "value"), TAKEN)
def test_the_edges_of_every_range_are_taken(policy, name, value):
    """What the message calls possible is possible."""
    assert getattr(policy(**{name: value}), name) == value


def setting(check):
    """Make a class with one setting, which a validator checks."""
    return attrs.make_class("Settings", {"way": attrs.field(validator=check)})


def test_a_check_says_what_it_wants():
    """It asks of the value that is given, and quotes it."""
    settings = setting(checked(lambda value: value is None or value > 3, "more than 3, or None"))
    assert [settings(value).way for value in (None, 4)] == [None, 4]
    with pytest.raises(ConfigurationError) as caught:
        settings(3)
    assert str(caught.value) == "way=3 is not possible: it must be more than 3, or None."


def test_one_of_some_words_is_any_of_them():
    """And nothing else; the message lists them."""
    settings = setting(one_of(("up", "down")))
    assert [settings(value).way for value in ("up", "down")] == ["up", "down"]
    with pytest.raises(ConfigurationError) as caught:
        settings("left")
    assert str(caught.value) == "way='left' is not possible: it must be one of up, down."


def test_the_default_is_careful():
    """Without a word the budget is shared, the line has no bound and bulk leaves interactive calls a tenth."""
    policy = RatePolicy()
    assert (policy.mode, policy.share, policy.reserve, policy.max_queue) == ("shared", None, 0.1, None)


@pytest.mark.parametrize("policy", [RatePolicy(), RetryPolicy()])
def test_policies_are_values(policy):
    """A policy cannot be changed, and two that say the same are equal and hash alike."""
    with pytest.raises(AttributeError):
        policy.mode = policy.max_attempts = None
    assert policy == type(policy)()
    assert hash(policy) == hash(type(policy)())


def test_a_value_of_a_wrong_type_is_not_quoted():
    """It may hold a secret: the message names the setting, what it must be, and the type that it is."""
    check = must_be((int, bytes), "a number")
    place = attrs.fields(RatePolicy).share
    for fitting in [None, 3, b"x"]:
        check(None, place, fitting)
    with pytest.raises(ConfigurationError, match=r"^share= must be a number, not of type str\.$"):
        check(None, place, "hush")


@pytest.mark.parametrize("value", [3, 0, -1, Decimal(2)])
def test_true_is_no_number(value):
    """Though Python says it is one."""
    assert is_number(value) is not isinstance(value, Decimal)
    assert is_whole(value) is isinstance(value, int)
    assert not any(check(given) for check in (is_number, is_whole) for given in (True, False, "1", None))
    assert is_number(0.5)
    assert not is_whole(0.5)


def test_every_setting_has_a_default_that_is_written_down():
    """A change of a default is a change of the interface."""
    rate = {
        "mode": "shared",
        "share": None,
        "reserve": 0.1,
        "calibrate": False,
        "max_in_flight": 100,
        "max_queue": None,
        "on_full": "raise",
    }
    assert attrs.asdict(RatePolicy()) == rate
    assert attrs.asdict(RetryPolicy()) == {"max_attempts": 4, "base_s": 0.5, "cap_s": 30.0, "max_rate_limited": 10}
