"""The contents page of the models: what calls return can be named by whoever annotates it."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from attrs import has

from apteligent_async import models


def test_the_contents_are_for_type_checkers_what_they_are_for_programs():
    """The two lists of homes are one, and every name on the page is found where it is said to be."""
    source = ast.parse(Path(models.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in source.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    seen = {name.name: node.module for node in block.body for name in node.names}
    homes = {name: home for home, names in models._HOMES.items() for name in names.split()}
    assert seen == {name: f"apteligent_async.models.{home}" for name, home in homes.items()}
    assert set(models.__all__) == set(seen)
    assert all(getattr(models, name) is getattr(import_module(home), name) for name, home in seen.items())


def test_every_class_of_data_is_in_the_contents():
    """No model is left out, so that no annotation has to name a file of the package."""
    modules = [import_module(f"apteligent_async.models.{each.name}") for each in iter_modules(models.__path__)]
    data = {name for module in modules for name in module.__all__ if has(vars(module)[name])}
    assert data - {"Unchecked", "DailyArray", "Column"} <= set(models.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    """A misspelt name is told at once."""
    with pytest.raises(ImportError, match="Aps"):
        from apteligent_async.models import Aps  # noqa: F401
