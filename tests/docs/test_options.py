"""The page about options names every option, with the default that it has."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from attrs import fields

from apteligent_async import ApteligentClient, RatePolicy, RetryPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "options.md").read_text()


def rows_of(heading):
    """Give the first column of a section's tables, with the second."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{heading}\n")]
    lines = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    return {name.strip(" `"): value.strip(" `") for name, value in lines}


@pytest.mark.parametrize("policy", [RatePolicy, RetryPolicy])
def test_policies_are_told_with_their_defaults(policy):
    """What the page says of a policy is what the policy does."""
    assert rows_of(policy.__name__) == {each.name: _shown(each.default) for each in fields(policy)}


@pytest.mark.parametrize(
    ("heading", "function"),
    [("ApteligentClient", ApteligentClient), ("with_options", ApteligentClient.with_options)],
)
def test_every_parameter_is_told(heading, function):
    """No option of the client is left out, and none is made up."""
    assert list(rows_of(heading)) == [name for name in inspect.signature(function).parameters if name != "self"]


def _shown(value):
    return f"{value:g}" if isinstance(value, float) else str(value)
