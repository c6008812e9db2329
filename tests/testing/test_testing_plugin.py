"""The pytest plugin as a stranger's project meets it: in a process of its own, in an empty directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STRICT = ["-q", "-Werror", "--strict-markers", "-o", "asyncio_default_fixture_loop_scope=function"]
BY_HAND = ["-p", "no:apteligent", "-p", "apteligent_async.testing.plugin"]
"""Loads the plugin once, whether or not the installed package announces it."""

ON_BOTH = """
import asyncio
import anyio
import pytest

async def ask(server):
    async with server.client() as client:
        return {app.id for app in await client.apps.list()}

@pytest.mark.anyio
async def test_with_anyio(apteligent_server):
    assert await ask(apteligent_server) == set(apteligent_server.world.apps)
    await anyio.sleep(86_400)

@pytest.mark.asyncio
async def test_with_asyncio(apteligent_server):
    assert await ask(apteligent_server) == set(apteligent_server.world.apps)
    await asyncio.sleep(86_400)

def test_with_neither(apteligent_url, apteligent_token, apteligent_server):
    assert apteligent_url.startswith("http://127.0.0.1:")
    assert apteligent_token == apteligent_server.token
"""
CLOCKS = """
import pytest
from apteligent_async.testing import VirtualLoop, virtual_backend

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return virtual_backend(request.param)

def pytest_asyncio_loop_factories():
    return {"virtual": VirtualLoop}
"""
MARKED = """
import pytest

pytestmark = pytest.mark.apteligent(apps=3, limit=7)

def test_of_the_module(apteligent_server):
    assert (len(apteligent_server.world.apps), apteligent_server.service.quota().settings.limit) == (3, 7)

@pytest.mark.apteligent(apps=2, seed=4)
class TestInside:
    @pytest.mark.apteligent(apps=1)
    def test_of_the_function(self, apteligent_server):
        assert (len(apteligent_server.world.apps), apteligent_server.service.quota().settings.limit) == (1, 7)
        assert apteligent_server.world.seed == 4

    def test_of_its_own(self, apteligent_server):
        assert len(apteligent_server.world.apps) == 2
        assert not apteligent_server.requests
"""
MISTAKES = """
import pytest

@pytest.mark.apteligent(3)
def test_by_position(apteligent_server): ...

@pytest.mark.apteligent(lmit=3)
def test_misspelt(apteligent_server): ...

@pytest.mark.apteligent(limit="three")
def test_no_number(apteligent_server): ...

@pytest.mark.apteligent(faults="faults.toml")
def test_no_rules(apteligent_server): ...
"""
IMPORTED = """
import sys, pytest
before = set(sys.modules)
import apteligent_async.testing.plugin
print(*sorted(set(sys.modules) - before))
"""


def run(project, *options, plugin=BY_HAND, **files):
    """Run pytest in a project of these files; give its exit code and what it printed."""
    for name, text in files.items():
        (project / f"{name}.py").write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("APTELIGENT_", "PYTEST_"))}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *STRICT, *plugin, *options],
        cwd=project,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_both_async_plugins_work_side_by_side(tmp_path):
    """One file with tests for pytest's anyio plugin and for pytest-asyncio, all of them in virtual time."""
    code, told = run(tmp_path, conftest=CLOCKS, test_both=ON_BOTH)
    assert code == 0, told
    assert "4 passed" in told


def test_the_plugin_is_there_once_the_package_is_installed(tmp_path):
    """A fresh project configures nothing."""
    code, told = run(tmp_path, plugin=[], conftest=CLOCKS, test_both=ON_BOTH)
    assert code == 0, told


def test_markers_add_up_and_the_closest_counts(tmp_path):
    """A module's settings hold for its tests, unless a class or a test has others."""
    code, told = run(tmp_path, test_marked=MARKED)
    assert code == 0, told


def test_mistakes_in_a_marker_are_told(tmp_path):
    """What the marker cannot mean fails the test that bears it, by name."""
    code, told = run(tmp_path, test_mistakes=MISTAKES)
    assert code == 1
    assert "4 errors" in told
    assert "takes its settings by name" in told
    assert "unexpected keyword argument 'lmit'" in told
    assert "limit must be a whole number of at least 1, not 'three'" in told
    assert "rules must each be a FaultRule" in told


def test_a_project_that_does_not_use_it_is_left_alone():
    """Loading the plugin imports a few small modules of ours, and none of the libraries behind them."""
    told = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    package = "apteligent_async"
    ours = {package, f"{package}._on_demand", f"{package}._version", f"{package}.testing", f"{package}.testing.plugin"}
    assert set(told.split()) == ours


def test_fixtures_and_marker_explain_themselves(tmp_path):
    """`pytest --fixtures` and `pytest --markers` tell what there is."""
    told = run(tmp_path, "--fixtures")[1] + run(tmp_path, "--markers")[1]
    for name in ["apteligent_server", "apteligent_url", "apteligent_token"]:
        assert re.search(rf"{name} -- .*\n +Give ", told)
    assert "@pytest.mark.apteligent(*, apps=40" in told
