"""What is packed for others, as the project file promises it."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import apteligent_async

ROOT = Path(__file__).parents[1]
ABOUT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BESIDE = {"cli", "dashboard", "integrations", "simulator", "testing"}
TARGETS = ABOUT["tool"]["hatch"]["build"]["targets"]


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
    """Whoever only calls the service gets a dozen packages at most, the seven that are used among them."""
    needed = _needed("apteligent-async", set())
    assert {"anyio", "attrs", "cattrs", "h11", "httpx", "platformdirs", "tenacity"} <= needed
    assert len(needed) <= 12, sorted(needed)


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_whatever_is_imported_is_declared():
    """Nothing is there only because another package needs it; pytest has loaded its plugin, and trio runs on demand."""
    folder = Path(apteligent_async.__file__).parent
    names = {name.partition(".")[0] for path in folder.rglob("*.py") for name in _imported(path)}
    foreign = names - sys.stdlib_module_names - {"apteligent_async", "pytest", "trio"}
    homes, project = packages_distributions(), ABOUT["project"]
    lines = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    assert {"httpx", "h11", "rich"} <= foreign
    assert not {name for name in foreign if declared.isdisjoint(map(canonicalize_name, homes[name]))}


def _files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_what_is_downloaded_of_ours_is_under_a_megabyte():
    """All that the wheel holds, packed as wheels are: code, types, the page and the simulator."""
    folder = Path(apteligent_async.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in _files(folder):
            wheel.write(path, path.relative_to(folder))
    assert 100_000 < packed.tell() < 1_000_000


def test_what_a_client_runs_on_is_under_a_megabyte_unpacked():
    """The rest, which is as large again, are rooms that no client imports: they need extras, or are for tests."""
    folder = Path(apteligent_async.__file__).parent
    sizes = {path.relative_to(folder).parts[0]: 0 for path in _files(folder)}
    for path in _files(folder):
        sizes[path.relative_to(folder).parts[0]] += path.stat().st_size
    assert set(sizes) > BESIDE
    assert 100_000 < sum(size for room, size in sizes.items() if room not in BESIDE) < 1_000_000


def test_a_client_imports_none_of_the_rooms_beside_it():
    """Their size is that of files which lie there."""
    code = "import sys; from apteligent_async import *; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("apteligent_async.")}
    assert "client" in rooms
    assert rooms.isdisjoint(BESIDE)
