"""What is packed for others, as the project file promises it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]


@pytest.mark.skipif(not (ROOT / "apteligent_async").is_dir(), reason="the source is not here: a wheel is under test")
@pytest.mark.parametrize("path", TARGETS["sdist"]["include"])
def test_what_the_source_distribution_names_is_there(path):
    """Every file exists, and every folder holds something."""
    named = ROOT / path.removeprefix("/")
    assert named.is_file() or any(named.iterdir())
