"""What type checkers make of the package: mypy, and pyright by way of basedpyright, each as strict as it can be."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import apteligent_async

PACKAGE = Path(apteligent_async.__file__).parent
USES = Path(__file__).parent / "typing" / "public_api.py"
MYPY = ["--strict", "--config-file="]
PYRIGHT = {
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    "extraPaths": [str(PACKAGE.parent)],
    "reportUnnecessaryTypeIgnoreComment": "error",
    "include": [str(USES)],
}

WRONG = """
from typing import assert_type
from apteligent_async import ApteligentClient
client = ApteligentClient()
assert_type(client, int)
client.apps.nothing()
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Give a folder in which mypy keeps what it has read of the package."""
    return tmp_path_factory.mktemp("types")


def checked(module, *arguments, at):
    """Run a checker; give its exit code and all it says."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {"MYPYPATH": str(PACKAGE.parent)} if "site-packages" not in PACKAGE.parts else {}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=at, env=environment, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def need(module):
    """Skip the test where a checker is not installed."""
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def test_types_are_shipped():
    """The marker that makes checkers read the package's types lies beside them."""
    assert (PACKAGE / "py.typed").is_file()


def test_mypy_knows_what_each_call_gives(cache):
    """Every call has the type that is written down, and what must not pass does not."""
    need("mypy")
    code, said = checked("mypy", *MYPY, f"--cache-dir={cache}", str(USES), at=cache)
    assert code == 0, said


def test_pyright_knows_what_each_call_gives(tmp_path):
    """The same for the other checker, whose marks for what must not pass are the same."""
    need("basedpyright")
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps(PYRIGHT))
    python = ["--pythonpath", sys.executable]
    code, said = checked("basedpyright", "--project", str(config), *python, at=tmp_path)
    assert code == 0, said


def test_mypy_would_notice(cache):
    """A wrong type and a method that is not there are told, so that silence means something."""
    need("mypy")
    wrong = cache / "wrong.py"
    wrong.write_text(WRONG)
    code, said = checked("mypy", *MYPY, f"--cache-dir={cache}", str(wrong), at=cache)
    assert code == 1
    assert "[assert-type]" in said
    assert "[attr-defined]" in said
