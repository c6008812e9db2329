"""What the client's methods say of themselves: their paths, who attests them, and where their groups are."""

from __future__ import annotations

import inspect

import pytest

import apteligent_async.client.client
from apteligent_async import (
    ApteligentClient,
    StaticToken,
)
from apteligent_async.client.paging import Paged


def group_names():
    """List the client's properties that are groups of calls."""
    return [name for name, value in vars(ApteligentClient).items() if isinstance(value, property) and name != "account"]


def public_methods():
    """List what users call: of the client, and of each of its groups."""
    client = ApteligentClient(StaticToken("t"))
    for owner in (client, *(getattr(client, name) for name in group_names())):
        for name, _ in inspect.getmembers(type(owner), inspect.isfunction):
            if not name.startswith("_"):
                yield pytest.param(getattr(owner, name), id=f"{type(owner).__name__}.{name}")


NO_PATH = {
    "open",
    "aclose",
    "with_options",
    "budget",
    "refreshed_budget",
    "drift",
    "on_event",
    "request",
    "follow",
    "pull",
}


@pytest.mark.parametrize("method", list(public_methods()))
def test_a_method_says_what_it_sends_and_who_attests_it(method):
    """Each docstring of a call names its path, grades it, and describes every argument."""
    told = inspect.getdoc(method)
    arguments = inspect.signature(method).parameters
    assert all(f"{name}: " in told for name in arguments)
    if method.__name__ not in NO_PATH:
        assert "Path" in told
        assert "grade" in told or method.__name__ == "get"


def test_groups_are_public_and_say_where_they_are():
    """Each group of the client is a class with a name and a docstring, in a file of its family."""
    client = ApteligentClient(StaticToken("t"))
    names = group_names()
    assert len(names) == 8
    for name in names:
        kind = type(getattr(client, name))
        assert not kind.__name__.startswith("_")
        assert f"client.{name}" in kind.__doc__
        assert kind.__module__.startswith("apteligent_async.client.")
    assert isinstance(client.crashes.table("id"), Paged)
    assert apteligent_async.client.client.__all__ == ["ApteligentClient"]
