"""The command's first moments, before it has read its arguments."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULE, FUNCTION = PROJECT["project"]["scripts"]["apteligent"].split(":")
INTERRUPTED = """
import sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
sys.argv = ["apteligent", "simulate"]
from {module} import {function}
{function}()
"""


@pytest.mark.parametrize(
    "name", ["apteligent_async", "apteligent_async.client", "cyclopts", "apteligent_async.cli.simulate", "uvicorn"]
)
def test_ctrl_c_is_quiet_while_the_command_is_imported(name):
    """Exit code 130 and not a word, whichever import it comes in."""
    code = INTERRUPTED.format(name=name, module=MODULE, function=FUNCTION)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")
