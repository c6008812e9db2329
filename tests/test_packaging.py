"""What is packed for others, as the project file promises it."""

from __future__ import annotations

import io
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import apteligent_async

ROOT = Path(__file__).parents[1]
TARGETS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]


@pytest.mark.skipif(not (ROOT / "apteligent_async").is_dir(), reason="the source is not here: a wheel is under test")
@pytest.mark.parametrize("path", TARGETS["sdist"]["include"])
def test_what_the_source_distribution_names_is_there(path):
    """Every file exists, and every folder holds something."""
    named = ROOT / path.removeprefix("/")
    assert named.is_file() or any(named.iterdir())


def _needed(name, seen):
    """Walk what an installed distribution needs on this platform, without extras."""
    for line in distribution(name).requires or []:
        needed = Requirement(line)
        found = canonicalize_name(needed.name)
        if found not in seen and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
            seen.add(found)
            _needed(found, seen)
    return seen


def test_the_core_install_is_small():
    """Whoever only calls the service gets a dozen packages at most, the six that are used among them."""
    needed = _needed("apteligent-async", set())
    assert {"anyio", "attrs", "cattrs", "httpx", "platformdirs", "tenacity"} <= needed
    assert len(needed) <= 12, sorted(needed)


def test_what_is_downloaded_of_ours_is_under_a_megabyte():
    """All that the wheel holds, packed as wheels are: code, types, the page and the simulator."""
    folder = Path(apteligent_async.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                wheel.write(path, path.relative_to(folder))
    assert 100_000 < packed.tell() < 1_000_000
