"""The page about errors names every error, and whom it blames is whom the package blames."""

from __future__ import annotations

import re
from pathlib import Path

from apteligent_async import errors

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| the (caller|service|link|budget) \||^\| `(\w+)` \| this machine \|", re.MULTILINE)


def test_every_error_is_told():
    """No error of the package is left out, and none is made up."""
    told = [first or second for first, _, second in ROW.findall(PAGE)]
    assert sorted(told) == sorted(set(errors.__all__) - {"ApteligentError"})


def test_what_else_an_error_is_stands_beside_it():
    """Who catches a built-in class finds in its row that an error is one of those, too."""
    for error in (getattr(errors, name) for name in errors.__all__):
        rows = re.findall(rf"^\| `{error.__name__}` .*$", PAGE, re.MULTILINE)
        for builtin in {ValueError, RuntimeError, TimeoutError} & {*error.__mro__}:
            assert f"a `{builtin.__name__}`" in rows[0]
