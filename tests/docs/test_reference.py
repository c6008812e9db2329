"""The reference is of everything that is public, and of nothing that is not there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import apteligent_async
from apteligent_async import models

PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
TOLD = re.compile(r"^::: ([\w.]+)\.(\w+)$", re.MULTILINE)


def test_every_public_name_is_told():
    """Whatever can be imported from the package, and what calls return, is in the reference, each once."""
    public = sorted(set(apteligent_async.__all__) - {"__version__"})
    told = [name for module, name in TOLD.findall(PAGE) if not module.startswith("apteligent_async.client.")]
    assert sorted([*told, "ApteligentClient"]) == sorted([*public, *models.__all__])


def test_all_that_is_told_is_there():
    """The reference is drawn from objects that exist, and from the same ones that users import."""
    for module, name in TOLD.findall(PAGE):
        there = getattr(import_module(module), name)
        assert getattr(apteligent_async, name, there) is there
        assert getattr(models, name, there) is there
