"""The errors: one tree, drawn as it is, and fields that survive a trip to another process."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from apteligent_async import errors

CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_the_tree_is_drawn_as_it_is():
    """Every class stands in the drawing on top of the module, below the root."""
    drawn = re.findall(r"^ +(?:[├└]── )?(\w+)\b", errors.__doc__, flags=re.MULTILINE)
    assert sorted(drawn) == sorted(errors.__all__)
    own = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
    assert sorted(cls.__name__ for cls in own) == sorted(errors.__all__)
    assert all(errors.ApteligentError in cls.__mro__ for cls in own)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_tells_what_became_of_its_call(cls):
    """Endpoint, attempts, waited, status and body can be given to each, and have defaults."""
    bare = cls("what to do")
    assert (bare.message, str(bare)) == ("what to do", "what to do")
    assert (bare.endpoint, bare.attempts, bare.waited, bare.status, bare.body) == (None, 0, 0.0, None, None)
    full = cls("m", endpoint="apps.list", attempts=2, waited=3.5, status=500, body="{}")
    assert (full.endpoint, full.attempts, full.waited, full.status, full.body) == ("apps.list", 2, 3.5, 500, "{}")


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_can_be_copied_and_pickled(cls, duplicate):
    """Type, message and every field stay; the traceback does not come along."""
    with pytest.raises(cls) as caught:
        raise cls("m", endpoint="e", attempts=1, waited=2.0, status=429, body="b")
    again = duplicate(caught.value)
    assert type(again) is cls
    assert (again.args, vars(again)) == (caught.value.args, vars(caught.value))
    assert again.__traceback__ is None


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.ClientStateError, RuntimeError),
        (errors.DeadlineExceeded, TimeoutError),
    ],
)
def test_some_are_caught_by_the_builtin_name_too(cls, builtin):
    """A late call is a TimeoutError, a bad setting a ValueError, a closed client a RuntimeError."""
    with pytest.raises(builtin):
        raise cls("m")


def test_what_belongs_to_one_error_has_names():
    """Limits, deadlines and places in the JSON are fields, not prose."""
    limited = errors.RateLimitedError("m", limit=20.0, actual=25.0, reset=42.0, retry_at=99.0)
    assert (limited.limit, limited.actual, limited.reset, limited.retry_at) == (20.0, 25.0, 42.0, 99.0)
    late = errors.DeadlineExceeded("m", eta=12.0, cause="budget")
    assert (late.eta, late.cause) == (12.0, "budget")
    assert errors.ResponseError("m", path="$.data").path == "$.data"
