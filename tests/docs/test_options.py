"""The page about options names every option, and the defaults that are plain values are those of the code."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from pathlib import Path

import pytest
from attrs import NOTHING, fields

from apteligent_async import (
    ApteligentClient,
    Freshness,
    MemoryCache,
    PasswordGrant,
    Plan,
    RateLimitedTransport,
    RatePolicy,
    RetryPolicy,
    SQLiteCache,
    Wanted,
)
from apteligent_async.integrations.fastapi import apteligent_lifespan

DOCS = Path(__file__).parents[2] / "docs"
NEVER_TOLD = {"self", "plan", "arguments"}
SIZES = {2**26, 2**28}


def rows_of(page, heading):
    """Give the second column of a section's tables by the first, where several options may share a row."""
    section = re.split(r"^## ", (DOCS / page).read_text(), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{heading}\n")]
    lines = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    return {each.strip(" `"): value.strip(" `") for names, value in lines for each in names.split(",")}


def options_of(function):
    """Give the parameters that are a caller's to choose."""
    return [each for each in inspect.signature(function).parameters.values() if each.name not in NEVER_TOLD]


@pytest.mark.parametrize("policy", [RatePolicy, RetryPolicy])
def test_policies_are_told_with_their_defaults(policy):
    """What the page says of a policy is what the policy does."""
    assert rows_of("options.md", policy.__name__) == {each.name: shown(each.default) for each in fields(policy)}


@pytest.mark.parametrize(
    ("heading", "function"),
    [
        ("ApteligentClient", ApteligentClient),
        ("with_options", ApteligentClient.with_options),
        ("PasswordGrant", PasswordGrant),
        ("MemoryCache, SQLiteCache", SQLiteCache),
        ("pull", ApteligentClient.pull),
        ("Plan", Plan),
        ("Wanted", Wanted),
        ("RateLimitedTransport", RateLimitedTransport),
        ("apteligent_lifespan", apteligent_lifespan),
    ],
)
def test_every_parameter_is_told(heading, function):
    """No option is left out, and none is made up; a default that is a plain value is told as it is."""
    told, options = rows_of("options.md", heading), options_of(function)
    assert list(told) == [each.name for each in options]
    if heading != "with_options":  # there, what is not given stays as it is
        plain = {each.name: shown(each.default) for each in options if is_plain(each.default)}
        assert {name: told[name] for name in plain} == plain


def test_both_caches_have_the_same_options_but_the_file():
    """And each keeps as much as the page says."""
    ours, files = ({each.name: each.default for each in options_of(kind)} for kind in (MemoryCache, SQLiteCache))
    assert ["path", *ours] == list(files)
    told = rows_of("options.md", "MemoryCache, SQLiteCache")["max_bytes"]
    assert re.findall(r"(\d+) MiB", told) == [str(each["max_bytes"] // 2**20) for each in (ours, files)]


def test_freshness_is_told_with_its_defaults():
    """Where the cache is described."""
    told = rows_of("cache.md", "How long an answer is good for")
    assert list(told) == [each.name for each in fields(Freshness)]
    days = {"30 days": 30 * 86_400, "1 day": 86_400}
    assert {name: days.get(value) or float(value) for name, value in told.items()} == {
        each.name: each.default for each in fields(Freshness)
    }


def test_days_that_pages_name_can_be_asked_for():
    """A graph tells of so many days and no more."""
    named = [int(days) for page in DOCS.glob("*.md") for days in re.findall(r"\bdays ?= ?(\d+)", page.read_text())]
    assert named
    for days in named:
        Wanted("error_monitoring.graph", graph="crashes", days=days)


def is_plain(default):
    """Whether a default is a value that a page can show; sizes are told in a unit of their own."""
    return isinstance(default, int | float | str | Enum) and default is not NOTHING and default not in SIZES


def shown(value):
    """Write a default as the page does."""
    return f"{value:g}" if isinstance(value, float) else str(value.value if isinstance(value, Enum) else value)
